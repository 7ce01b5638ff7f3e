import assert from "node:assert/strict";
import { test } from "node:test";
import { digestsOf, refuseOtherKeys, withKeys } from "../../../cli/snapshot-keys";
import type { SnapshotState } from "../../../model/stack-snapshots";
import type { UserError } from "../../../model/user-error";

const keys = { "kubernetes-ca.key": "one", "ssh-user-key": "two" };
const snapshot = (then?: Readonly<Record<string, string>>): SnapshotState => ({
  ...{
    stack: "lab",
    name: "before",
    driver: "fake",
    created: "2026-11-29T10:00:00Z",
    pausedMs: 0,
    machines: [],
    bytes: 0,
  },
  ...(then && { keys: digestsOf(then) }),
});

test("a snapshot of other keys is refused by name, with the ways out, and shown so in the list", () => {
  for (const now of [
    { ...keys, "ssh-user-key": "other" },
    { "kubernetes-ca.key": "one" },
    { ...keys, "added-key": "three" },
  ]) {
    const name = "added-key" in now ? "added-key" : "ssh-user-key";
    assert.throws(
      () => refuseOtherKeys(snapshot(keys), digestsOf(now)),
      (error: UserError) => {
        assert.equal(error.id, "snapshot-other-keys");
        assert.match(
          error.problem,
          new RegExp(`snapshot before hold other keys than Pulumi's state of lab \\(${name}\\)`),
        );
        assert.match(error.message, /pulumi stack import.*snapshot delete before/s);
        return true;
      },
    );
    assert.equal(withKeys(snapshot(keys), digestsOf(now)).obstacle, `the stack had other keys (${name})`);
  }
});

test("the same keys, a snapshot of an earlier version, and a stack without keys are no obstacle", () => {
  for (const [then, now] of [
    [keys, keys],
    [undefined, keys],
    [keys, undefined],
  ] as const) {
    const digests = now && digestsOf(now);
    refuseOtherKeys(snapshot(then), digests);
    assert.equal(withKeys(snapshot(then), digests).obstacle, undefined);
  }
});

test("no key is in its digest", () => {
  assert.ok(!JSON.stringify(digestsOf(keys)).includes("one"));
});
