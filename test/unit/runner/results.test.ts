import assert from "node:assert/strict";
import { test } from "node:test";

const allowedSkips = require("../../allowed-skips.cjs");
const { failuresOf, forbiddenSkips, readTap } = require("../../runner/results.cjs");
const { tiers } = require("../../runner/tiers.cjs");

const tap = `TAP version 13
ok 1 - a suite \\# 1 # SKIP needs \\# root
  ---
  type: 'suite'
  ...
# Subtest: outer
    ok 1 - inner # SKIP no machine
    1..1
ok 2 - outer
not ok 3 - later # TODO not yet
ok 4 - bare # SKIP
1..4
# tests 4
# pass 1
# fail 0
# cancelled 1
# skipped 1
# todo 1
`;

test("skips are counted at every depth, also those of suites, with their reasons", () => {
  const { passed, failed, skips } = readTap(tap, 0);
  assert.deepEqual([passed, failed], [1, 1]);
  assert.deepEqual(skips, [
    { name: "a suite # 1", reason: "needs # root" },
    { name: "inner", reason: "no machine" },
    { name: "later", reason: "not yet" },
    { name: "bare", reason: "" },
  ]);
});

test("a file that ends with an error counts as failed, whatever it reports", () => {
  assert.equal(readTap("", 1).failed, 1);
  assert.equal(readTap("# pass 3\n# fail 0\n", 7).failed, 1);
  assert.equal(readTap("# pass 3\n# fail 2\n", 1).failed, 2);
  assert.equal(readTap("# tests 3\n# pass 3\n# fail 0\n", 0).failed, 0);
});

test("a file without totals, or without any test, counts as failed", () => {
  assert.equal(readTap("", 0).failed, 1);
  assert.equal(readTap("TAP version 13\nok 1 - right\n", 0).failed, 1);
  assert.equal(readTap("# pass 3\n# fail 0\n", 0).failed, 1);
  assert.equal(readTap("# tests 0\n# pass 0\n# fail 0\n", 0).failed, 1);
  assert.equal(readTap("ok 1 - real # SKIP needs root\n# tests 1\n# pass 0\n# fail 0\n# skipped 1\n", 0).failed, 0);
});

test("a skip is allowed only for a reason of its own tier, and never without a reason", () => {
  const allowed = [{ tiers: ["contract"], reason: /^needs root$/, because: "it also runs as root" }];
  const skips = ["needs root", "needs root and more", ""].map((reason) => ({ name: "x", reason }));
  assert.deepEqual(
    forbiddenSkips("contract", skips, allowed).map(({ reason }: { reason: string }) => reason),
    ["needs root and more", ""],
  );
  assert.equal(forbiddenSkips("e2e", skips, allowed).length, 3);
  assert.equal(forbiddenSkips("e2e", [], allowed).length, 0);
});

test("the list of allowed skips names existing tiers and gives explanations", () => {
  for (const { tiers: named, reason, because } of allowedSkips) {
    for (const tier of named) assert.ok(Object.hasOwn(tiers, tier), tier);
    assert.ok(because.length > 20, because);
    assert.ok(!reason.test(""), `${reason} allows everything`);
  }
});

test("the reason `needs root` is allowed for the tier of hosted runners, and for no tier of real machines", () => {
  const reasons = ["needs root", "system containers need root", "a root tree with VirtualBox's programs needs root"];
  const skips = reasons.map((reason) => ({ name: "x", reason }));
  assert.equal(forbiddenSkips("contract", skips, allowedSkips).length, 1);
  for (const tier of ["virtualbox", "qemu", "e2e"]) assert.equal(forbiddenSkips(tier, skips, allowedSkips).length, 3);
});

test("the end of a run tells why tests failed, without the tests that only contain them", () => {
  const tap = `# Subtest: outer
    not ok 1 - inner \\# 1
      ---
      failureType: 'testCodeFailure'
      error: |-
        Expected values:
        
          [
      code: 'ERR_ASSERTION'
      ...
    ok 2 - right
      ---
      duration_ms: 1
      ...
not ok 1 - outer
  ---
  failureType: 'subtestsFailed'
  error: '1 subtest failed'
  ...
not ok 2 - late
  ---
  failureType: 'testTimeoutFailure'
  error: 'test timed out after 50ms'
  ...
`;
  assert.deepEqual(failuresOf(tap), [
    { name: "inner # 1", reason: "Expected values:\n  [" },
    { name: "late", reason: "test timed out after 50ms" },
  ]);
});

test("a failed test of a process with several files is named with its file", () => {
  const details = "  ---\n      failureType: 'testCodeFailure'\n      error: 'wrong'\n      ...";
  const suite = (file: string) => `# Subtest: ${file}\n    # Subtest: adds\n    not ok 1 - adds\n    ${details}\n`;
  assert.deepEqual(
    failuresOf(`TAP version 13\n${suite("test/unit/one.test.ts")}${suite("test/unit/two.test.ts")}`).map(
      ({ name }: { name: string }) => name,
    ),
    ["test/unit/one.test.ts: adds", "test/unit/two.test.ts: adds"],
  );
});
