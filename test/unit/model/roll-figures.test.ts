import assert from "node:assert/strict";
import { test } from "node:test";
import {
  describeRoll,
  describeTotal,
  figuresOfRoll,
  figuresOfUpgrade,
  measuredNodeNames,
  type RollingNode,
  rollRows,
  sumOfRolls,
} from "../../../model/measured/roll-figures";
import { outageOfRoll } from "../../../model/roll-outages";
import { benches } from "../../bench/benches";

const row = (name: string, median: number, p95 = median, commit = "0123456789") => ({ name, median, p95, commit });
const bench = [
  row("roll-master", 58.7, 61),
  row("roll-master-gap", 190, 372),
  row("roll-storage", 20.2),
  row("roll-only-balancer", 12, 12),
  row("roll-only-balancer-gap", 4000, 4438, "fedcba9876"),
];
const of = (node: RollingNode) => figuresOfRoll(node, bench);

test("a node is compared with a measured one that has the same roles", () => {
  assert.deepEqual(of({ roles: ["etcd", "master"] }), {
    duration: { seconds: 59, measuredBy: "roll-master", measuredAt: "0123456" },
    gap: { longestMs: 372, measuredBy: "roll-master-gap", measuredAt: "0123456", of: "API gaps" },
  });
  for (const roles of [["master"], ["master", "etcd", "worker"], ["gateway"], []] as const)
    assert.deepEqual(of({ roles }), { unmeasured: "with these roles" }, roles.join());
  assert.deepEqual(of({ roles: ["worker"] }), { unmeasured: "" }, "no run has recorded it");
});

test("no figure is shown for what differs from the measured node", () => {
  const master = { roles: ["master", "etcd"] } as const;
  assert.equal(of({ roles: ["worker"], alone: ["worker"] }).unmeasured, "without another such node");
  assert.equal(of({ ...master, alongside: ["worker-2"] }).unmeasured, "several at a time");
  assert.equal(of({ ...master, unlike: "on the driver qemu" }).unmeasured, "on the driver qemu");
});

test("a node that is alone has figures of its own, and an earlier one of its outage where no gap is recorded", () => {
  assert.equal(
    describeRoll(of({ roles: ["balancer"], alone: ["balancer"] })),
    "about 12 s, with API gaps of at most 4438 ms (roll-only-balancer at 0123456, roll-only-balancer-gap at fedcba9)",
  );
  const { longestMs, measuredBy, measuredAt } = outageOfRoll("gateway");
  assert.equal(
    describeRoll(of({ roles: ["gateway"], alone: ["gateway"] })),
    `time not measured, with API gaps of at most ${longestMs} ms (${measuredBy} at ${measuredAt})`,
  );
});

test("the text has the gap where there is one, and says what is not measured", () => {
  assert.equal(
    describeRoll(of({ roles: ["master", "etcd"] })),
    "about 59 s, with API gaps of at most 372 ms (roll-master at 0123456)",
  );
  assert.equal(describeRoll(of({ roles: ["storage"] })), "about 20 s (roll-storage at 0123456)");
  assert.equal(describeRoll(of({ roles: ["worker"] })), "not measured");
  assert.equal(
    describeRoll(of({ roles: ["worker"], unlike: "on the driver qemu" })),
    "not measured (on the driver qemu)",
  );
});

test("a total counts what is measured, and the others apart", () => {
  const [master, storage, worker] = [["master", "etcd"], ["storage"], ["worker"]].map((roles) =>
    of({ roles } as RollingNode),
  ) as [object, object, object];
  assert.deepEqual(sumOfRolls([master, storage, worker]), { seconds: 79, unmeasuredNodes: 1 });
  assert.equal(describeTotal([master, storage]), "about 79 s");
  assert.equal(describeTotal([master, worker]), "about 59 s, without 1 of 2 nodes, which is not measured");
  assert.equal(describeTotal([master, worker, worker]), "about 59 s, without 2 of 3 nodes, which are not measured");
  assert.equal(describeTotal([worker]), "not measured");
});

test("an upgrade as a whole has the figures of its own rows", () => {
  const upgrade = figuresOfUpgrade([row("upgrade-lab", 292.7), row("upgrade-gap", 372)]);
  assert.equal(describeRoll(upgrade), "about 293 s, with API gaps of at most 372 ms (upgrade-lab at 0123456)");
  assert.equal(describeRoll(figuresOfUpgrade([])), "not measured");
});

test("the bench measures every row that a preview reads", () => {
  const rows = benches.flatMap((one) => one.rows.map(({ name }) => name));
  for (const name of measuredNodeNames) {
    assert.ok(rows.includes(rollRows(name).duration), name);
    assert.ok(name === "storage" || rows.includes(rollRows(name).gap), name);
  }
});
