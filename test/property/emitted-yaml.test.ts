// Every YAML text that we emit reads back the same in YAML 1.1 (kubectl, cloud-init) and in YAML 1.2.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { load } from "js-yaml";
import { parseAllDocuments } from "yaml";
import { emitYaml } from "../../cloud-init/emit-yaml";
import { UnquotableValueError } from "../../cloud-init/quoting";
import { renderSeeds } from "../../cloud-init/render-node-seed";
import { renderKubeconfig } from "../../components/kubeconfig";
import { parseConfiguration } from "../../stacks/config/parse-configuration";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { hostileValues } from "../support/seed-proof/hostile-values";

/** Words that some reader of YAML takes for something else than a string. */
const words = [
  ...["no", "on", "off", "yes", "y", "n", "No", "ON", "null", "Null", "~", "true", "FALSE", "nan", "inf", ".inf"],
  ...["1e3", "1e-7", "0o7", "0x1f", "0b11", "010", "08", "1_000", "12:30:00", "190:20:30", "2026-01-01", "+1", "-0"],
  ...["<<", "=", "!!str", "&a", "*a", "a: b", "a #b", "", " "],
];
const word = fc.oneof(fc.constantFrom(...words, ...hostileValues), fc.string({ maxLength: 6 }));

const readings = (text: string): readonly unknown[] =>
  (["1.1", "1.2"] as const).flatMap((version) => {
    const documents = parseAllDocuments(text, { version, uniqueKeys: true });
    assert.ok(Array.isArray(documents), "no document");
    for (const { errors } of documents) assert.deepEqual(errors, []);
    return [documents.map((document) => document.toJS())];
  });

function assertReadsTheSame(text: string, where: string): void {
  const [old, current] = readings(text);
  assert.deepEqual(old, current, where);
}

test("any keys and values are refused or survive in both versions", () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      word,
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(word, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(value, (given) => {
      let text: string;
      try {
        text = emitYaml({ given });
      } catch (error) {
        assert.ok(error instanceof UnquotableValueError, String(error));
        return;
      }
      // Readers differ about the sign of zero, which no value of ours has.
      const expected = JSON.parse(JSON.stringify({ given }));
      for (const reading of [...readings(text), [load(text)]]) {
        assert.deepEqual(JSON.parse(JSON.stringify(reading)), [expected], text);
      }
    }),
    { numRuns: 3_000, seed: 20261128 },
  );
});

test("every word is safe as a key and as a value", () => {
  for (const each of words) {
    const text = emitYaml({ [each]: each });
    for (const reading of readings(text)) assert.deepEqual(reading, [{ [each]: each }], text);
  }
});

const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const isStackName = (name: string): boolean => parseConfiguration({}, { stack: name }).configuration !== undefined;

test("a stack with any accepted name has a kubeconfig and seeds that read the same in both versions", () => {
  const accepted = words.filter(isStackName);
  assert.ok(accepted.includes("no") && accepted.includes("null") && accepted.includes("nan"));
  for (const stack of accepted) {
    const kubeconfig = renderKubeconfig({
      ...{ stack, server: "https://127.0.0.1:20000" },
      ...{ certificateAuthority: pem, clientCertificate: pem, clientKey: pem },
    });
    assertReadsTheSame(kubeconfig, `kubeconfig of ${stack}`);
    assert.equal((load(kubeconfig) as { clusters: { name: unknown }[] }).clusters[0]?.name, stack);
    const { configuration } = parseConfiguration(
      { pools: { storage: { count: 3, disks: [{ name: "no", sizeGiB: 1 }] } } },
      { stack },
    );
    assert.ok(configuration, stack);
    for (const seed of renderSeeds(planDataCenter(configuration))) assertSeed(seed, stack);
  }
});

interface UserData {
  readonly write_files: readonly { readonly path: string; readonly content: string }[];
}

/** The seed itself, and each YAML file in it. */
function assertSeed(seed: ReturnType<typeof renderSeeds>[number], stack: string): void {
  const { node, userData, metaData, networkConfig } = seed;
  for (const text of [userData, metaData, networkConfig]) assertReadsTheSame(text, `seed of ${node} of ${stack}`);
  for (const { path, content } of (load(userData) as UserData).write_files) {
    if (/\.ya?ml$/.test(path)) assertReadsTheSame(content, `${path} of ${node} of ${stack}`);
  }
}
