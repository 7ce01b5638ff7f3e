import assert from "node:assert/strict";
import { test } from "node:test";
import { parseVersion } from "../../../model/versions";
import { satisfies } from "../../../toolchain/pulumi-tool";

test("a version is found in a program's output", () => {
  assert.deepEqual(parseVersion("v3.248.0\n"), [3, 248, 0]);
  assert.deepEqual(parseVersion("go1.26"), [1, 26]);
  assert.equal(parseVersion("unknown"), undefined);
});

for (const [found, minimum, expected] of [
  ["3.248.0", "3.248.0", true],
  ["3.248", "3.248.0", true],
  ["v3.249.1", "3.248.0", true],
  ["3.247.9", "3.248.0", false],
  ["3.248.0", "3.248.1", false],
  ["4.0.0", "3.248.0", false],
  ["3.1000.0", "3.248.0", true],
  ["", "3.248.0", false],
] as const) {
  test(`${found || "no version"} ${expected ? "is enough" : "is not enough"} for ${minimum}`, () => {
    assert.equal(satisfies(found, minimum), expected);
  });
}
