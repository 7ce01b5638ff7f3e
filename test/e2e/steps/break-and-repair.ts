import assert from "node:assert/strict";
import type { ProbeResult } from "../../../verify/samples";
import { eventually, patienceMs } from "../../support/cluster-under-test";
import { losePower } from "../../support/lose-power";
import {
  askMeanwhile,
  balancers,
  countsOf,
  floatingIpHolder,
  healthyEtcdMembers,
  type LabUnderTest,
  type Step,
  secondsSince,
  tellGap,
  up,
  waitForReadyNodes,
} from "../lab-under-test";

export const hardKillsAreSurvived: Step = async (lab, t) => {
  const holder = await floatingIpHolder(lab, balancers);
  tellGap(t, "balancer-kill", await whileProbing(lab, () => hardKill(lab, holder)));
  const others = balancers.filter((name) => name !== holder);
  await eventually(
    "the floating IP moved",
    patienceMs,
    () => floatingIpHolder(lab, others),
    (name) => name !== "",
  );
  tellGap(t, "master-kill", await whileProbing(lab, () => hardKill(lab, "master-2")));

  const drift = await lab.cluster.pulumi("preview", "--diff", "--non-interactive");
  for (const name of [holder, "master-2"]) assert.match(drift.stdout, new RegExp(`${name}[\\s\\S]*stopped`));
  const output = await up(lab);
  assert.match(countsOf(output), /updated/);
  assert.doesNotMatch(countsOf(output), /created|replaced|deleted/, output.stdout);
  await waitForReadyNodes(lab, 5);
  assert.doesNotMatch(countsOf(await up(lab)), /created|updated|replaced|deleted/);
};

/** The machine and its etcd data are permanently lost. A new machine of the same name replaces it. */
export const lostMasterIsReplaced: Step = async (lab, t) => {
  const lost = { stack: lab.cluster.stack, name: "master-1" };
  const state = await lab.driver.inspectMachine(lost);
  assert.ok(state);
  await lab.driver.removeMachine(lost, state.owner);
  const started = performance.now();
  const probe = await askMeanwhile(lab);
  await up(lab);
  t.diagnostic(`replace-master took ${secondsSince(started)}`);
  tellGap(t, "replace-master", await probe.stop());
  await waitForReadyNodes(lab, 5, "master-2");
  assert.equal(await healthyEtcdMembers(lab, "master-2"), 3);
};

async function whileProbing(lab: LabUnderTest, fault: () => Promise<void>): Promise<ProbeResult> {
  const probe = await askMeanwhile(lab);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await fault();
  await new Promise((resolve) => setTimeout(resolve, 8000));
  const seen = await probe.stop();
  assert.ok(seen.sent - seen.failed > 100, "the API responded most of the time");
  return seen;
}

async function hardKill({ driver, cluster }: LabUnderTest, name: string): Promise<void> {
  assert.ok(driver.hardKill);
  await driver.hardKill.hardKill({ stack: cluster.stack, name });
}

/** All processes and namespaces of the stack end at once, as in a power cut of the host. */
export const hostRestarts: Step = async (lab, t) => {
  await losePower(lab.cluster.stack, await lab.driver.listMachines(lab.cluster.stack));
  const started = performance.now();
  const repaired = countsOf(await up(lab));
  t.diagnostic(`up after a restart of the host took ${secondsSince(started)}`);
  assert.doesNotMatch(repaired, /created|replaced|deleted/);
  await waitForReadyNodes(lab, 5);
  const secret = ["get", "secret", "sealed", "-o", "jsonpath={.data.word}"];
  const kept = await lab.cluster.kubectl("master-3", ...secret);
  assert.equal(Buffer.from(kept.stdout, "base64").toString(), "plainly-visible", "the cluster's data are still there");
  assert.equal(await healthyEtcdMembers(lab, "master-3"), 3);
};
