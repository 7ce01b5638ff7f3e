import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { renderJsonSchema } from "../../../../stacks/config/json-schema";
import { exampleConfiguration, exampleStacks, exampleText } from "../../../support/example-stacks";

const counts = (stack: string): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(exampleConfiguration(stack).pools).map(([pool, { count }]) => [pool, count]));

test("lab, production, pair, small and single are the shipped topologies", () => {
  assert.deepEqual(counts("lab"), { gateway: 1, balancers: 2, masters: 3, etcd: 0, workers: 2, storage: 3 });
  assert.deepEqual(counts("production"), { gateway: 1, balancers: 2, masters: 2, etcd: 3, workers: 2, storage: 3 });
  assert.deepEqual(counts("pair"), { gateway: 1, balancers: 0, masters: 2, etcd: 0, workers: 0, storage: 0 });
  assert.deepEqual(counts("single"), { gateway: 1, balancers: 0, masters: 0, etcd: 0, workers: 0, storage: 0 });
  assert.deepEqual(counts("small"), { gateway: 1, balancers: 1, masters: 1, etcd: 0, workers: 1, storage: 0 });
});

test("every example is short, valid, fits a 16 GiB host and names its schema", () => {
  assert.deepEqual(exampleStacks, ["lab", "pair", "production", "services", "single", "small"]);
  for (const stack of exampleStacks) {
    const text = exampleText(stack);
    assert.ok(text.trimEnd().split("\n").length <= 25, stack);
    assert.match(text, /^# yaml-language-server: \$schema=configuration\.schema\.json\n/);
    const pools = Object.values(exampleConfiguration(stack).pools);
    const memoryMiB = pools.reduce((sum, pool) => sum + pool.count * pool.memoryMiB, 0);
    assert.ok(memoryMiB < 14 * 1024, `${stack}: ${memoryMiB} MiB`);
  }
});

test("the committed JSON schema matches the output of `npm run schema`", () => {
  const file = path.resolve(__dirname, "../../../../stacks/configuration.schema.json");
  assert.equal(fs.readFileSync(file, "utf8"), renderJsonSchema(), "run `npm run schema` and commit the file");
});

test("the JSON schema refuses unknown keys and describes each pool", () => {
  const schema = JSON.parse(renderJsonSchema());
  const dataCenter = schema.properties.config.properties["groundplane:dataCenter"];
  assert.equal(dataCenter.additionalProperties, false);
  for (const pool of Object.values<{ description?: string }>(dataCenter.properties.pools.properties)) {
    assert.ok(pool.description);
  }
});
