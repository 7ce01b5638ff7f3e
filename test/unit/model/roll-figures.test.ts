import assert from "node:assert/strict";
import { test } from "node:test";
import { describeRoll, figuresOfRoll } from "../../../model/measured/roll-figures";

const row = (name: string, median: number, p95 = median) => ({ name, median, p95, commit: "0123456789" });
const bench = [row("roll-master", 58.7, 61), row("roll-master-gap", 190, 372), row("roll-storage", 20.2)];

test("a node is compared with a measured one that has the same roles", () => {
  assert.deepEqual(figuresOfRoll(["etcd", "master"], bench), {
    duration: { seconds: 59, measuredBy: "roll-master", measuredAt: "0123456" },
    gap: { longestMs: 372, measuredBy: "roll-master-gap", measuredAt: "0123456" },
  });
  for (const roles of [["master"], ["master", "etcd", "worker"], ["gateway"], ["worker"], []] as const)
    assert.equal(figuresOfRoll(roles, bench), undefined, roles.join());
});

test("the text has the gap where there is one", () => {
  assert.equal(
    describeRoll(["master", "etcd"], bench),
    "about 59 s, with gaps of at most 372 ms (roll-master at 0123456)",
  );
  assert.equal(describeRoll(["storage"], bench), "about 20 s (roll-storage at 0123456)");
  assert.equal(describeRoll(["gateway"], bench), "");
});
