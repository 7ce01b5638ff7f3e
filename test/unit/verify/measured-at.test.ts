import assert from "node:assert/strict";
import { test } from "node:test";
import { changesSources } from "../../../verify/measured-at";

const statuses: readonly (readonly [string, boolean])[] = [
  ["", false],
  ["?? stacks/Pulumi.dev.yaml\n", false],
  [" M stacks/Pulumi.lab.yaml\n", true],
  ["?? stacks/plan/new.ts\n", true],
  ["?? stacks/Pulumi.dev.yaml\n M verify/run-verify.ts\n", true],
];

test("a user's own stack files are no change of the sources, and all other changes are", () => {
  for (const [status, changes] of statuses) assert.equal(changesSources(status), changes, status);
});
