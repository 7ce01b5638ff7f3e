import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { NodeImageInputs } from "../../../../model/node-image-types";
import type { UserError } from "../../../../model/user-error";
import { other, rollOf } from "../../../support/image-roll";
import { ownDataFolder } from "../../../support/own-data-folder";

ownDataFolder();
const { assertConverged, broken, inputsOf, node, Process, standingStack, stateOf, up } = rollOf("small", "worker-1");
let present = "";
beforeEach(async () => {
  present = await standingStack();
});

test("a worker is drained, gets another system disk, and joins again as the same machine", async () => {
  const { generation } = await stateOf(node);
  const before = await stateOf("master-1");
  const process = new Process();
  await up(process, other);
  await assertConverged(other, generation);
  assert.deepEqual(await stateOf("master-1"), before);
  const done = process.log.filter((line) => !/cluster-id|cluster-status|node-ready|kubectl/.test(line));
  assert.deepEqual(
    done.map((line) => line.replace(/(renew-token|cluster-wait) \d+/, "$1")),
    [
      "master-1: cluster-ready worker-1",
      "master-1: drain-node worker-1 120",
      "worker-1: exchangeSystemDisk",
      "worker-1: startMachine",
      "master-1: forget-node worker-1",
      "master-1: renew-token",
      "worker-1: join-cluster",
      "worker-1: cluster-wait",
      "master-1: cluster-ready worker-1",
      "worker-1: dropFormerSystemDisk",
    ],
  );
  const again = new Process();
  await up(again, other);
  assert.deepEqual(again.log, [], "a second `up` changes nothing");
});

test("a node that has joined from a new disk runs the command of its stack, and without it there is no roll", async () => {
  const { generation } = await stateOf(node);
  const afterJoin = {
    command: ["/usr/local/lib/groundplane/follow-authority", "QQ=="],
    files: [{ path: "/usr/local/lib/groundplane/follow-authority", mode: "0755", content: "#!/bin/bash\n" }],
  };
  const inputs = { ...(await inputsOf<NodeImageInputs>("NodeImage", `${node}-image`)), image: other, afterJoin };
  const failing = new Process(undefined, async (_name, command) =>
    command === "follow-authority QQ==" ? "the kubelet has no certificates" : undefined,
  );
  const failed = failing.resources.image.create(inputs, false, failing.context);
  await assert.rejects(failed, /cannot complete the join of worker-1: the kubelet has no certificates/);
  await assertConverged(present, generation);
  const { resources, context, log } = new Process();
  const { outputs } = await resources.image.create(inputs, false, context);
  await assertConverged(other, generation);
  const done = log.filter((line) => /^worker-1: (?:cluster-wait|follow-authority)/.test(line));
  assert.deepEqual(
    done.map((line) => line.split(" ")[1]),
    ["cluster-wait", "follow-authority"],
  );
  assert.ok(!("afterJoin" in outputs), "it is no part of the state");
});

test("a node that does not work with its new image gets the former one back, and the roll ends", async () => {
  const { generation } = await stateOf(node);
  const failed = await up(new Process(undefined, broken), other).then(
    () => assert.fail("it must fail"),
    (error: unknown) => error as UserError,
  );
  assert.equal(failed.id, "image-roll-failed");
  assert.match(failed.problem, /worker-1 does not work with the image kubernetes-b+, and it has its former image/);
  assert.match(failed.problem, /containerd does not run/);
  await assertConverged(present, generation);
  await up(new Process(), other);
  await assertConverged(other, generation);
});

test("nothing is changed while the node or its cluster is not healthy", async () => {
  const before = await stateOf(node);
  for (const sick of ["worker-1: node-ready", "master-1: cluster-ready worker-1"]) {
    const process = new Process(undefined, async (name, command) =>
      `${name}: ${command}` === sick ? "is down" : undefined,
    );
    await assert.rejects(up(process, other), (error: UserError) => {
      assert.equal(error.id, "image-roll-refused");
      assert.match(error.problem, /worker-1 keeps the image .*: .*is down/);
      return true;
    });
    assert.ok(!process.log.some((line) => /drain|Disk|Machine/.test(line)), "nothing was done");
    assert.deepEqual(await stateOf(node), before);
  }
});

test("a worker that changes with another one waits for the rest of the cluster only, and longer for its pods", async () => {
  const inputs = await inputsOf<NodeImageInputs>("NodeImage", `${node}-image`);
  const { resources, context, log } = new Process();
  await resources.image.create({ ...inputs, image: other, alongside: ["worker-2"] }, false, context);
  const asked = log.filter((line) => /cluster-ready|drain/.test(line));
  const ready = "master-1: cluster-ready --except=worker-2 worker-1";
  assert.deepEqual(asked, [ready, "master-1: drain-node worker-1 210", ready]);
  const previewing = new Process();
  await previewing.resources.image.create(
    { ...inputs, image: present, alongside: ["worker-2"] },
    true,
    previewing.context,
  );
  assert.match(String(previewing.warnings), /to kubernetes-\w+, at the same time as worker-2: it is drained/);
});

test("a stack without node images adopts those that its machines have, and a preview says what another one means", async () => {
  const inputs = await inputsOf<NodeImageInputs>("NodeImage", `${node}-image`);
  const adopting = new Process();
  const { outputs } = await adopting.resources.image.create(inputs, false, adopting.context);
  assert.deepEqual([adopting.log, outputs.image, outputs.settled, adopting.warnings], [[], present, true, []]);
  const previewing = new Process();
  await previewing.resources.image.create({ ...inputs, image: other }, true, previewing.context);
  assert.deepEqual(previewing.log, []);
  assert.deepEqual(previewing.warnings, [
    `warning: worker-1 moves from ${present} to ${other}: it is drained, restarts from a new system disk, and joins the ` +
      "cluster again; its data disks stay. Unavailable meanwhile: all workloads, until it is back. Its exchange: " +
      "not measured (without another such node)",
  ]);
});

test("a preview says that the only master takes the data of etcd along", async () => {
  const inputs = await inputsOf<NodeImageInputs>("NodeImage", "master-1-image");
  const { resources, context, warnings, log } = new Process();
  await resources.image.create({ ...inputs, image: other }, true, context);
  assert.deepEqual(log, []);
  assert.match(
    String(warnings),
    /^warning: master-1 moves from \S+ to \S+: it is drained, restarts from a new system disk, and starts the cluster again with the data of etcd; its data disks stay\. Unavailable meanwhile: the API, until it is back[^;]*$/,
  );
});

test("a node that keeps its image says why, and has no difference", async () => {
  const keeps = "no other machine has a copy of the volume; it gets another image when it is recreated";
  const inputs = { ...(await inputsOf<NodeImageInputs>("NodeImage", "master-1-image")), keeps };
  const { resources, context, warnings, log } = new Process();
  const { outputs } = await resources.image.create({ ...inputs, image: other }, false, context);
  assert.deepEqual([outputs.image, log], [present, []]);
  const stored = resources.image.asStored?.({ ...inputs, image: other }, { ...inputs, image: present }, context);
  assert.equal(stored?.image, present);
  const warning = `warning: master-1 keeps the image ${present}: ${inputs.keeps}`;
  assert.deepEqual(warnings, [warning, warning]);
});

test("a node that is not in the cluster restarts from its new disk while its peers are ready", async () => {
  const name = "balancer-1";
  const planned = await inputsOf<NodeImageInputs>("NodeImage", `${name}-image`);
  const { connection } = await inputsOf<NodeImageInputs>("NodeImage", "gateway-image");
  const peers = [{ name: "gateway", address: connection.address, connection }];
  const inputs = { ...planned, image: "infrastructure-bbbbbbbbbbbb", peers };
  const alone = new Process(undefined, async (of, command) =>
    `${of}: ${command}` === "gateway: node-ready" ? "is down" : undefined,
  );
  const refused = alone.resources.image.create(inputs, false, alone.context);
  await assert.rejects(refused, /balancer-1 keeps the image .*: gateway is not ready: is down/);
  assert.deepEqual(
    alone.log.filter((line) => !/node-ready/.test(line)),
    [],
  );
  const { resources, context, log } = new Process();
  await resources.image.create(inputs, false, context);
  assert.deepEqual(log, [
    ...["balancer-1: node-ready", "gateway: node-ready"],
    ...["balancer-1: exchangeSystemDisk", "balancer-1: startMachine"],
    ...["balancer-1: node-ready", "balancer-1: dropFormerSystemDisk"],
  ]);
});

test("the gateway restarts from its new disk while the nodes behind it are ready, and keeps its leases", async () => {
  const { assertConverged, standingStack, stateOf, up, Process, leases } = rollOf("small", "gateway");
  const image = "infrastructure-bbbbbbbbbbbb";
  const former = await standingStack();
  const { generation } = await stateOf("gateway");
  leases.write("0 52:54:00:00:00:01 192.168.56.30 guest *\n");
  const inputs = await inputsOf<NodeImageInputs>("NodeImage", "gateway-image");
  const previewing = new Process();
  await previewing.resources.image.create({ ...inputs, image }, true, previewing.context);
  assert.match(
    String(previewing.warnings),
    /^warning: gateway moves .* Unavailable meanwhile: traffic between segments, DNS, and access from the host, until/,
  );
  const process = new Process();
  await up(process, image);
  await assertConverged(image, generation);
  const peers = ["balancer-1", "master-1", "worker-1"].map((name) => `${name}: node-ready`);
  assert.deepEqual(
    process.log.map((line) => line.replace(/ -c [\s\S]*/, "")),
    [
      ...["gateway: node-ready", ...peers, "gateway: exchangeSystemDisk", "gateway: startMachine"],
      ...["gateway: node-ready", ...peers, "gateway: bash", "gateway: dropFormerSystemDisk"],
    ],
  );
  assert.equal(leases.read(), "0 52:54:00:00:00:01 192.168.56.30 guest *\n");
  // It responds, and lets nothing through.
  const closed = new Process(undefined, async (name, command) =>
    name === "worker-1" && command === "node-ready" && (await stateOf("gateway")).spec.image === former
      ? "no route"
      : undefined,
  );
  await assert.rejects(
    up(closed, former),
    /gateway does not work with .* it has its former image .*: worker-1 is not ready/,
  );
  await assertConverged(image, generation);
  assert.match(String(leases.read()), /guest/);
});
