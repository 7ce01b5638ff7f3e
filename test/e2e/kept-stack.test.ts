/**
 * A small stack that is kept: an earlier version creates it, this code takes it over, gives its nodes another image and replaces an
 * authority. A backup then brings back its lost master, and a snapshot takes back a change that went wrong. test/topologies does each
 * of these with more machines.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { type TestContext, test } from "node:test";
import { unrecordedKubernetesVersion } from "../../model/releases";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { type EarlierCommit, earlierCommits, earlierProject, historySkipReason } from "../support/earlier-versions";
import { idleDeployment } from "../support/idle-deployment";
import { loseMachines } from "../support/lose-machines";
import { nspawnSkipReason } from "../support/nspawn-host";
import { riskyChange } from "../support/risky-change";
import { takeBackup } from "../support/take-backup";
import { keepsRelease } from "./kept-release";
import { apply, countsOf, secondsSince, up, waitForReadyNodes } from "./lab-under-test";
import { planImage, seen } from "./planned-image";
import { smallStack } from "./small-stack";

const dataCenter = `driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 1}
  workers: {count: 1}
options: {fastProbes: true, podGraceSeconds: 5, keepDataDisks: false}
`;
const machines = ["gateway", "balancer-1", "master-1", "worker-1"];
const etcdAuthority = "/etc/kubernetes/pki/etcd/ca.crt";

/** The newest version before this one. */
const earlier = Object.keys(earlierCommits).at(-1) as EarlierCommit;

/** The earlier version builds the images of its release, which takes about ten minutes where none has been built. */
test("a stack is kept", { skip: nspawnSkipReason(), timeout: 50 * 60_000 }, async (t) => {
  const stack = smallStack("kept");
  const { cluster, driver, project } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const kubectl = async (...words: string[]) =>
    mustSucceed(words.join(" "), await cluster.kubectl("master-1", ...words)).stdout.trim();
  const on = async (node: string, command: string) =>
    mustSucceed(command, await cluster.onNode(node, command)).stdout.trim();
  const machinesNow = () => Promise.all(machines.map((name) => seen(stack, name)));
  const change = riskyChange(cluster);
  const isWhole = async (): Promise<void> => {
    await waitForReadyNodes(stack, 2);
    await change.isTakenBack();
    await stack.isHealthy();
    await stack.previewsNoChange();
  };

  const cannot = historySkipReason(earlier);
  stack.configure(dataCenter);

  const takeover = "an earlier version creates it, and start takes it over as the same machines";
  if (cannot !== undefined) {
    await t.test(takeover, { skip: cannot });
    await step("this version creates it", () => stack.start());
  } else
    await step(takeover, async (inner) => {
      const former = new ClusterUnderTest(earlierProject(earlier, project), cluster.stack);
      fs.copyFileSync(project.stackFile(cluster.stack), former.project.stackFile(cluster.stack));
      const building = performance.now();
      mustSucceed("image build", await former.groundplane("image", "build"));
      inner.diagnostic(`images of Kubernetes ${unrecordedKubernetesVersion} after ${secondsSince(building)}`);
      mustSucceed("start", await former.groundplane("start", "--yes"));
      const before = await machinesNow();
      await stack.start();
      assert.deepEqual(await machinesNow(), before);
      await keepsRelease(stack);
    });

  await step("it has a deployment and is healthy", async () => {
    await change.prepare();
    await apply(stack, idleDeployment(2));
    await kubectl("rollout", "status", "deployment/idle", "--timeout=180s");
    await isWhole();
  });

  await step("its master and its worker get another image, as the same machines", async () => {
    const nodes = ["master-1", "worker-1"];
    const before = await Promise.all(nodes.map((name) => seen(stack, name)));
    const image = await planImage(stack, "kept", { "etc/image-mark": "kept\n" });
    assert.doesNotMatch(countsOf(await up(stack)), /replaced \d|deleted/);
    for (const [index, name] of nodes.entries()) {
      assert.deepEqual(await seen(stack, name), { ...before[index], image, formerImage: undefined });
      assert.equal(await on(name, "cat /etc/image-mark"), "kept");
    }
    await isWhole();
  });

  await step("the authority of etcd is replaced", async () => {
    const subject = `openssl x509 -noout -fingerprint -sha256 -in ${etcdAuthority}`;
    const before = await on("master-1", subject);
    stack.configure(`${dataCenter}secrets: {rotate: {etcd-ca: 1}}\n`);
    await up(stack);
    assert.notEqual(await on("master-1", subject), before);
    assert.equal(await on("master-1", `grep -c BEGIN ${etcdAuthority}`), "1");
    await isWhole();
  });

  await step("its master is lost with its disk, and a backup brings the cluster back", async (inner) => {
    const worker = await seen(stack, "worker-1");
    const restore = await takeBackup(cluster);
    await kubectl("create", "configmap", "later", "--from-literal=value=after");
    await loseMachines(driver, cluster.stack, ["master-1"]);
    const { stdout } = mustSucceed("restore", await cluster.groundplane(...restore));
    inner.diagnostic(stdout.trim().split("\n").at(-1) ?? "");
    assert.equal(await kubectl("get", "configmap", "later", "--ignore-not-found"), "");
    assert.deepEqual(await seen(stack, "worker-1"), worker);
    await isWhole();
  });

  await step("a change that went wrong is taken back by a snapshot", async (inner) => {
    mustSucceed("create", await cluster.groundplane("snapshot", "create", "before"));
    await change.make();
    const { stdout } = mustSucceed("restore", await cluster.groundplane("snapshot", "restore", "before", "--yes"));
    inner.diagnostic(stdout.trim().split("\n").at(-1) ?? "");
    await isWhole();
  });
});
