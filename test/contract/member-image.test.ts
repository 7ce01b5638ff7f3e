// Rolls of members of etcd: masters, machines of etcd, and masters beside a witness.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import type { NodeImageInputs } from "../../model/node-image-types";
import type { UserError } from "../../model/user-error";
import { other, rollOf } from "../support/image-roll";
import { ownDataFolder } from "../support/own-data-folder";

ownDataFolder();

const quiet = /cluster-id|cluster-status|node-ready|kubectl|bash/;
const shown = (log: readonly string[]) =>
  log.filter((line) => !quiet.test(line)).map((line) => line.replace(/(renew-token|cluster-wait) \d+/, "$1"));
/** Any other member answers. */
const byAny = (log: readonly string[]) => shown(log).map((line) => line.replace(/^(?:master|etcd)-[23]: /, "other: "));

test("a master leaves etcd when its new disk works, and joins again as the same machine", async () => {
  const { standingStack, stateOf, Process, up, assertConverged, cluster } = rollOf("lab", "master-1");
  await standingStack();
  const { generation } = await stateOf("master-1");
  const before = cluster();
  const process = new Process();
  await up(process, other);
  await assertConverged(other, generation);
  assert.deepEqual(byAny(process.log), [
    "other: etcd-complete master-1 master-2 master-3",
    "other: cluster-ready master-1",
    "other: drain-node master-1 120",
    "master-1: exchangeSystemDisk",
    "master-1: startMachine",
    "other: etcd-complete master-2 master-3",
    "other: forget-node master-1",
    "other: renew-token",
    "master-1: join-cluster",
    "master-1: cluster-wait",
    "other: etcd-complete master-1 master-2 master-3",
    "other: cluster-ready master-1",
    "master-1: dropFormerSystemDisk",
  ]);
  const ready = process.log.indexOf("master-1: node-ready", process.log.indexOf("master-1: startMachine"));
  assert.ok(ready > 0 && ready < process.log.findIndex((line) => /forget-node/.test(line)), "its disk works before");
  assert.notEqual(cluster().members["master-1"], before.members["master-1"], "it is a new member with fresh data");
  assert.equal(cluster().members["master-2"], before.members["master-2"]);
  const again = new Process();
  await up(again, other);
  assert.deepEqual(again.log, [], "a second `up` changes nothing");
});

test("a machine of etcd leaves and joins etcd, while the other machines and the masters are ready", async () => {
  const { standingStack, stateOf, Process, up, assertConverged } = rollOf("production", "etcd-1");
  await standingStack();
  const { generation } = await stateOf("etcd-1");
  const process = new Process();
  await up(process, other);
  await assertConverged(other, generation);
  assert.deepEqual(byAny(process.log), [
    "other: etcd-complete etcd-1 etcd-2 etcd-3",
    "etcd-1: exchangeSystemDisk",
    "etcd-1: startMachine",
    "other: etcd-complete etcd-2 etcd-3",
    "etcd-1: join-cluster",
    "etcd-1: cluster-wait",
    "other: etcd-complete etcd-1 etcd-2 etcd-3",
    "etcd-1: dropFormerSystemDisk",
  ]);
  const asked = process.log.slice(0, process.log.indexOf("etcd-1: exchangeSystemDisk"));
  for (const name of ["etcd-2", "etcd-3", "master-1", "master-2"])
    assert.ok(asked.includes(`${name}: node-ready`), name);
});

for (const [example, node] of [
  ["lab", "master-2"],
  ["production", "etcd-2"],
  ["pair", "master-2"],
] as const) {
  test(`${node} of ${example} returns to its disk when the other one does not boot, and never leaves etcd`, async () => {
    const { standingStack, stateOf, Process, up, assertConverged, broken, cluster } = rollOf(example, node);
    const present = await standingStack();
    const { generation } = await stateOf(node);
    const before = cluster().members;
    await assert.rejects(up(new Process(undefined, broken), other), (error: UserError) => {
      assert.equal(error.id, "image-roll-failed");
      assert.match(error.problem, /and it has its former image .*containerd does not run/);
      return true;
    });
    assert.deepEqual(cluster().members, before);
    await assertConverged(present, generation);
    await up(new Process(), other);
    await assertConverged(other, generation);
  });

  test(`${node} of ${example} joins from its former image when it does not work as a member`, async () => {
    const { standingStack, stateOf, Process, up, assertConverged, brokenAsMember } = rollOf(example, node);
    const present = await standingStack();
    const { generation } = await stateOf(node);
    await assert.rejects(up(new Process(undefined, brokenAsMember), other), (error: UserError) => {
      assert.equal(error.id, "image-roll-failed");
      assert.match(error.problem, /and it has its former image .*containerd does not run/);
      return true;
    });
    await assertConverged(present, generation);
    await up(new Process(), other);
    await assertConverged(other, generation);
  });
}

test("a master that has left etcd in an upgrade has no way back, and goes on in the next up", async () => {
  const { standingStack, stateOf, Process, up, assertConverged, brokenAsMember, broken } = rollOf("lab", "master-1");
  const present = await standingStack();
  const { generation } = await stateOf("master-1");
  await assert.rejects(up(new Process(undefined, broken), other, "1.2.3"), /and it has its former image /);
  await assertConverged(present, generation);
  await assert.rejects(up(new Process(undefined, brokenAsMember), other, "1.2.3"), (error: UserError) => {
    assert.equal(error.id, "image-roll-failed");
    assert.match(error.problem, /and it is away; no node after it was changed: .*containerd does not run/s);
    return true;
  });
  assert.equal((await stateOf("master-1")).spec.image, other);
  await up(new Process(), other, "1.2.3");
  await assertConverged(other, generation);
});

test("nothing is changed while any member of etcd is not healthy, or another master is not ready", async () => {
  const { standingStack, stateOf, Process, up } = rollOf("lab", "master-1");
  await standingStack();
  const before = await stateOf("master-1");
  for (const sick of [/^master-[23]: etcd-complete/, /^master-3: node-ready/]) {
    const process = new Process(undefined, async (name, command) =>
      sick.test(`${name}: ${command}`) ? "is down" : undefined,
    );
    await assert.rejects(up(process, other), (error: UserError) => {
      assert.equal(error.id, "image-roll-refused");
      assert.match(error.problem, /master-1 keeps the image .*: .*is down/);
      return true;
    });
    assert.ok(!process.log.some((line) => /drain|Disk|Machine|forget/.test(line)), "nothing was done");
    assert.deepEqual(await stateOf("master-1"), before);
  }
});

test("a member stays in etcd while its new disk runs and another member is not healthy", async () => {
  const { standingStack, stateOf, Process, up, assertConverged, cluster } = rollOf("lab", "master-1");
  const present = await standingStack();
  const { generation } = await stateOf("master-1");
  const before = cluster().members;
  const process = new Process(undefined, async (_name, command) =>
    command === "etcd-complete master-2 master-3" ? "etcd on master-3 is not healthy" : undefined,
  );
  await assert.rejects(up(process, other), /has its former image .*etcd on master-3 is not healthy/s);
  assert.deepEqual(cluster().members, before);
  await assertConverged(present, generation);
});

test("the backups on a master's system disk are on its new one", async () => {
  const { standingStack, stateOf, Process, up, assertConverged, folder, brokenAsMember } = rollOf("lab", "master-1");
  const present = await standingStack();
  const { generation } = await stateOf("master-1");
  const backups = folder("machines", "master-1", "backups");
  const names = ["lab-20261129T040000Z.backup", "lab-20261129T050000Z.backup"];
  fs.mkdirSync(backups);
  for (const name of names) fs.writeFileSync(`${backups}/${name}`, `of ${name}\xff`, "latin1");
  fs.writeFileSync(`${backups}/..-20261129T050000Z.backup`, "no name of a backup");
  const check = () => {
    assert.deepEqual(fs.readdirSync(backups).sort(), names, "backups");
    for (const name of names) assert.equal(fs.readFileSync(`${backups}/${name}`, "latin1"), `of ${name}\xff`);
  };
  await assert.rejects(up(new Process(undefined, brokenAsMember), other));
  await assertConverged(present, generation);
  check();
  await up(new Process(), other);
  await assertConverged(other, generation);
  check();
});

const measuredMaster = [
  { name: "roll-master", median: 58.7, p95: 61, commit: "0123456789" },
  { name: "roll-master-gap", median: 190, p95: 372, commit: "0123456789" },
];

test("a preview says what a member does and how many stay", async () => {
  const texts = [];
  for (const [example, node] of [
    ["lab", "master-1"],
    ["production", "etcd-1"],
    ["production", "master-1"],
  ] as const) {
    const { standingStack, Process, inputsOf } = rollOf(example, node);
    await standingStack();
    const process = new Process();
    process.bench = measuredMaster;
    const { resources, context, warnings } = process;
    const inputs = await inputsOf<NodeImageInputs>("NodeImage", `${node}-image`);
    await resources.image.create({ ...inputs, image: other }, true, context);
    texts.push(...warnings.map((line) => line.replace(/kubernetes-\w+/g, "IMAGE")));
  }
  assert.deepEqual(texts, [
    "info: master-1 moves from IMAGE to IMAGE: it is drained, restarts from a new system disk, joins the cluster again, and " +
      "gets the data of etcd, of which 2 of 3 members stay; its data disks stay. Its exchange: about 59 s, with API gaps of " +
      "at most 372 ms (roll-master at 0123456)",
    "info: etcd-1 moves from IMAGE to IMAGE: it restarts from a new system disk, and gets the data of etcd, of which 2 of 3 " +
      "members stay; its data disks stay. Its exchange: not measured (with these roles)",
    "info: master-1 moves from IMAGE to IMAGE: it is drained, restarts from a new system disk, and joins the cluster again; " +
      "its data disks stay. Its exchange: not measured (with these roles)",
  ]);
});
