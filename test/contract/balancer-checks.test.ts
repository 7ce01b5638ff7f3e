// HAProxy with its real configuration, in front of a master with certificates of several kinds.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { renderHaproxyCfg } from "../../cloud-init/files/haproxy-cfg";
import { imagesFolder } from "../../host/data-folder";
import { imageFor } from "../../image/recipes/image-names";
import { examplePlan } from "../support/example-plans";
import { runInTree } from "../support/seed-proof/prove-seed";

const notRoot = process.getuid?.() !== 0 && "needs root for mount namespaces";

test("a master with an expired, foreign or misnamed certificate is out of rotation until it has a valid one", {
  skip: notRoot,
}, (context) => {
  const plan = examplePlan("lab");
  const image = path.join(imagesFolder(), imageFor("infrastructure", plan.kubernetes.version, "tree"));
  if (!fs.existsSync(image)) return context.skip("the image cannot be had");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "groundplane-balancer-"));
  try {
    fs.writeFileSync(path.join(folder, "haproxy.cfg"), renderHaproxyCfg(plan));
    const program = path.join(__dirname, "..", "support", "seed-proof", "check-masters.sh");
    fs.copyFileSync(program, path.join(folder, "check-masters.sh"));
    const { layers } = JSON.parse(fs.readFileSync(path.join(image, "image.json"), "utf8")) as { layers: string[] };
    const used = layers
      .filter((layer) => layer !== "container")
      .map((layer) => fs.realpathSync(path.join(image, "layers", layer)));
    const seen = runInTree(used, folder, ["bash", "/seed/check-masters.sh"]).trim().split("\n");
    context.diagnostic(seen.join("; "));
    const expected = [
      ...[
        /^valid UP,L7OK/,
        /^expired DOWN,L6/,
        /^valid UP,L7OK/,
        /^foreign DOWN,L6/,
        /^misnamed DOWN,L6/,
        /^valid UP,L7OK/,
      ],
      ...[/^before UP,L7OK/, /^after DOWN,L6/],
    ];
    assert.equal(seen.length, expected.length);
    for (const [index, pattern] of expected.entries()) assert.match(seen[index] ?? "", pattern);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
