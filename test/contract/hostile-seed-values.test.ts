import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { describe, test } from "node:test";
import { emitYaml } from "../../cloud-init/emit-yaml";
import { envLine, shellWord } from "../../cloud-init/quoting";
import { imagesFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { ensureImages } from "../../image/build-images";
import { imageFor } from "../../image/recipes/image-names";
import { defaultKubernetesVersion } from "../../model/releases";
import { UserError } from "../../model/user-error";
import { hostileValues } from "../support/seed-proof/hostile-values";
import { runInTree } from "../support/seed-proof/prove-seed";

const image = imageFor("infrastructure", defaultKubernetesVersion, "tree");
const tree = (): string => fs.realpathSync(path.join(imagesFolder(), image, "layers", "base"));

/** The output of a command in the root tree for the file /seed/subject. */
async function read(subject: string, command: readonly string[]): Promise<string> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-hostile-"));
  try {
    await ensureImages(localHost, { names: [image] });
    fs.writeFileSync(path.join(folder, "subject"), subject);
    return runInTree([tree()], folder, command);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const printArguments = "import json, sys; print(json.dumps(sys.argv[1:]))";

const readers = [
  {
    name: "PyYAML, with which cloud-init reads",
    text: emitYaml({ values: hostileValues, texts: hostileValues.map((value) => `${value}\n${value}\n`) }),
    command: ["python3", "-c", "import json, yaml; print(json.dumps(yaml.safe_load(open('/seed/subject'))))"],
    expected: { values: hostileValues, texts: hostileValues.map((value) => `${value}\n${value}\n`) },
  },
  {
    name: "a shell, as words",
    text: `exec python3 -c "${printArguments}" ${hostileValues.map(shellWord).join(" ")}\n`,
    command: ["sh", "/seed/subject"],
    expected: hostileValues,
  },
  {
    name: "a shell, as environment",
    text: hostileValues.map((value, position) => envLine(`VALUE_${position}`, value)).join(""),
    command: [
      ...[
        "sh",
        "-c",
        `. /seed/subject; exec python3 -c "$0" ${hostileValues.map((_, i) => `"$VALUE_${i}"`).join(" ")}`,
      ],
      printArguments,
    ],
    expected: hostileValues,
  },
];

const notRoot = process.getuid?.() !== 0 && "needs root for mount namespaces";

describe("hostile values arrive byte for byte", { skip: notRoot }, () => {
  for (const { name, text, command, expected } of readers) {
    test(`read by ${name}`, async (context) => {
      let said: string;
      try {
        said = await read(text, command);
      } catch (error) {
        if (error instanceof UserError) return context.skip(`the image cannot be had: ${error.problem}`);
        throw error;
      }
      assert.deepEqual(JSON.parse(said), expected);
    });
  }
});
