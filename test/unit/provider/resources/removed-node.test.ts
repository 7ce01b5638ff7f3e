// A membership that is deleted while its machine stays, as when the deletion of the machine is refused or killed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readNode } from "../../../../guests/fake-nodes";
import type { MembershipInputs } from "../../../../model/resource-types";
import { stride } from "../../../support/every-moment";
import { rollOf } from "../../../support/image-roll";
import { ownDataFolder } from "../../../support/own-data-folder";

ownDataFolder();

function membershipOf(example: string, node: string) {
  const { Process, standingStack, inputsOf, stateOf, cluster, stack, plan } = rollOf(example, node);
  const inputs = async () => {
    const { generation } = await stateOf(node);
    return { ...(await inputsOf<MembershipInputs>("Membership", `${node}-membership`)), generation };
  };
  const create = async (process: InstanceType<typeof Process>) =>
    process.resources.membership.create(await inputs(), false, process.context);
  const leave = async () => {
    const { resources, context } = new Process();
    const state = { inputs: await inputs(), outputs: { ...(await inputs()), clusterId: cluster().id } };
    await resources.membership.delete("", state, context);
  };
  const isMember = async (what = "") => {
    const { generation } = await stateOf(node);
    const { phase, memberId } = await readNode({ stack, name: node });
    const [{ roles } = assert.fail()] = plan.nodes.filter(({ name }) => name === node);
    assert.deepEqual([phase, cluster().nodes[node]], ["member", generation], what);
    assert.equal(memberId, cluster().members[node], what);
    assert.equal(memberId !== undefined, roles.includes("etcd"), what);
  };
  return { Process, standingStack, create, leave, isMember, cluster };
}

for (const [example, node] of [
  ["lab", "master-2"],
  ["lab", "worker-1"],
  ["production", "etcd-1"],
  ["production", "master-1"],
  ["pair", "gateway"],
] as const) {
  test(`${node} of ${example} joins again when it was removed from the cluster and its machine stayed`, async () => {
    const { Process, standingStack, create, leave, isMember, cluster } = membershipOf(example, node);
    await standingStack();
    const before = cluster();
    await leave();
    assert.equal(cluster().members[node], undefined);
    const process = new Process();
    await create(process);
    await isMember();
    assert.match(process.warnings.join("\n"), /was removed from the cluster while its machine stayed: it joins again/);
    assert.equal(cluster().id, before.id);
    const again = new Process();
    await create(again);
    assert.deepEqual(
      again.log.filter((line) => /join-cluster|forget-node|renew-token| leave /.test(line)),
      [],
      "a member is left alone",
    );
  });
}

test("killed after any change, the next attempt makes it a member", async () => {
  const { Process, standingStack, create, leave, isMember } = membershipOf("lab", "master-2");
  await standingStack();
  for (let steps = 0, died = true; died; steps += stride) {
    await leave();
    const process = new Process(steps);
    await create(process).catch(() => undefined);
    died = process.isDead;
    await create(new Process());
    await isMember(`killed after ${steps} steps`);
  }
});

test("nothing on the node changes while etcd does not answer", async () => {
  const { Process, standingStack, create, leave, cluster } = membershipOf("lab", "master-2");
  await standingStack();
  await leave();
  const process = new Process(undefined, async (_name, command) =>
    command.includes("member list") ? "context deadline exceeded" : undefined,
  );
  await assert.rejects(create(process), /cannot list the members of etcd: context deadline exceeded/);
  assert.ok(!process.log.some((line) => / leave |join-cluster/.test(line)));
  assert.equal(cluster().members["master-2"], undefined);
});
