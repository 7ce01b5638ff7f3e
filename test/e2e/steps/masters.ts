import assert from "node:assert/strict";
import { mustSucceed } from "../../support/cluster-under-test";
import {
  askMeanwhile,
  countsOf,
  etcdctl,
  healthyEtcdMembers,
  type LabUnderTest,
  masters,
  type Step,
  secondsSince,
  tellGap,
  up,
  waitForReadyNodes,
} from "../lab-under-test";

/** Only the leader can transfer leadership. The other members refuse. */
async function letLead({ cluster }: LabUnderTest, name: string): Promise<void> {
  const handOver = `id=$(${etcdctl("member list")} | awk -F ', ' '$3 == "${name}" { print $1 }') && ${etcdctl("move-leader $id")}`;
  for (const master of masters) await cluster.onNode(master, handOver);
  const status = mustSucceed("status", await cluster.onNode(name, etcdctl("endpoint status --write-out=json")));
  const [{ Status: member }] = JSON.parse(status.stdout);
  assert.equal(member.leader, member.header.member_id);
}

/** The first master leads etcd, leaves the cluster cleanly, and a new machine of the same name joins. */
export const firstMasterIsReplacedOnDemand: Step = async (lab, t) => {
  const before = await generationOf(lab, "master-1");
  const exported = mustSucceed("export", await lab.cluster.pulumi("stack", "export")).stdout;
  const urn = /"urn": "([^"]*index:Machine::master-1)"/.exec(exported)?.[1];
  assert.ok(urn, "no master-1 in the state");
  await letLead(lab, "master-1");
  const started = performance.now();
  const client = await askMeanwhile(lab);
  const flags = ["--yes", "--skip-preview", "--suppress-outputs", "--replace", urn];
  mustSucceed("replace", await lab.cluster.pulumi("up", ...flags));
  t.diagnostic(`up --replace of master-1 took ${secondsSince(started)}`);
  tellGap(t, "up --replace", await client.stop());
  assert.notEqual(await generationOf(lab, "master-1"), before);
  await waitForReadyNodes(lab, 5, "master-2");
  assert.equal(await healthyEtcdMembers(lab, "master-2"), 3);
};

export const mastersBecomeOneAndThreeAgain: Step = async (lab, t) => {
  for (const masters of [1, 3]) {
    lab.configure({ masters });
    const started = performance.now();
    const client = await askMeanwhile(lab);
    const counts = countsOf(await up(lab));
    t.diagnostic(`up to ${masters} took ${secondsSince(started)}`);
    tellGap(t, `masters to ${masters}`, await client.stop());
    assert.doesNotMatch(counts, /replaced/);
    await waitForReadyNodes(lab, masters + 2);
    assert.equal(await healthyEtcdMembers(lab), masters);
  }
};

const generationOf = async ({ driver, cluster: { stack } }: LabUnderTest, name: string) =>
  (await driver.inspectMachine({ stack, name }))?.generation;
