/**
 * A stack of an earlier version of groundplane on system containers: that version's commit creates it, this code takes it over with
 * `start`, as the same machines with their pods and data, and then changes it.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { type TestContext, test } from "node:test";
import type { HealthRow } from "../../verify/health/findings";
import { keepsRelease } from "../e2e/kept-release";
import { apply, countsOf, kubectl, secondsSince, up, waitForReadyNodes } from "../e2e/lab-under-test";
import { planImage, seen } from "../e2e/planned-image";
import { smallStack } from "../e2e/small-stack";
import { ClusterUnderTest, eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { type EarlierCommit, earlierCommits, earlierProject, historySkipReason } from "../support/earlier-versions";
import { idleDeployment } from "../support/idle-deployment";
import { nspawnSkipReason } from "../support/nspawn-host";

/** The example `small`, and pods that end quickly. */
const dataCenter = `driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 1}
  workers: {count: 1}
options: {fastProbes: true, podGraceSeconds: 5}
`;

const machines = ["gateway", "balancer-1", "master-1", "worker-1"];

for (const [commit, lacks] of Object.entries(earlierCommits) as [EarlierCommit, string][]) {
  const skip = nspawnSkipReason() || (historySkipReason(commit) ?? false);
  test(`a stack of ${commit}, ${lacks}`, { skip, timeout: 35 * 60_000 }, async (t) => {
    const stack = smallStack("compat");
    const { cluster, project } = stack;
    const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
    const inCluster = async (words: string) =>
      mustSucceed(words, await cluster.onNode("master-1", `${kubectl} ${words}`)).stdout;
    /** With the number of restarts, since a container can be replaced in its pod. */
    const pods = () =>
      inCluster(
        "get pods -l app=idle -o jsonpath='{range .items[*]}{.metadata.uid} {.status.containerStatuses[0].restartCount}{\"\\n\"}{end}'",
      );
    const remembered = () => inCluster("get configmap remembered -o jsonpath='{.data.text}'");
    let before: Awaited<ReturnType<typeof seen>>[] = [];
    let podsBefore = "";
    const stays = async () => {
      assert.deepEqual(await Promise.all(machines.map((name) => seen(stack, name))), before);
      assert.equal(await pods(), podsBefore);
      assert.equal(await remembered(), "by the earlier version");
    };

    await step("the earlier version creates it", async () => {
      const earlier = earlierProject(commit, project);
      stack.configure(dataCenter);
      fs.copyFileSync(project.stackFile(cluster.stack), earlier.stackFile(cluster.stack));
      const former = new ClusterUnderTest(earlier, cluster.stack);
      mustSucceed("image build", await former.groundplane("image", "build"));
      mustSucceed("start", await former.groundplane("start", "--yes"));
      await apply({ ...stack, cluster: former }, idleDeployment(2));
      mustSucceed(
        "rollout",
        await former.kubectl("master-1", "rollout", "status", "deployment/idle", "--timeout=180s"),
      );
      await former.kubectl("master-1", "create configmap remembered '--from-literal=text=by the earlier version'");
      before = await Promise.all(machines.map((name) => seen(stack, name)));
      podsBefore = await pods();
      assert.equal(podsBefore.trim().split("\n").length, 2);
    });

    await step("today's status and preview read it; no machine is replaced or removed", async (inner) => {
      const { stdout, stderr } = await cluster.groundplane("status", "--json");
      inner.diagnostic(stdout + stderr);
      const { checks } = JSON.parse(stdout) as { checks: readonly HealthRow[] };
      const bad = checks.filter(({ state }) => state === "unhealthy" || state === "unknown").map(({ check }) => check);
      // This version renders the cluster's objects in another way, which `up` brings.
      assert.deepEqual(
        bad.filter((check) => check !== "cluster-objects"),
        [],
      );
      const preview = mustSucceed("preview", await cluster.pulumi("preview")).stdout;
      inner.diagnostic(countsOf({ exitCode: 0, stdout: preview, stderr: "" }));
      assert.doesNotMatch(countsOf({ exitCode: 0, stdout: preview, stderr: "" }), /to (?:replace|delete)/);
      mustSucceed("review", await cluster.groundplane("preview"));
      await stays();
    });

    await step("start takes it over, and a second one changes nothing", async (inner) => {
      const started = performance.now();
      await stack.start();
      inner.diagnostic(`taken over in ${secondsSince(started)}`);
      await stays();
      await waitForReadyNodes(stack, 2);
      await keepsRelease(stack);
      await stack.isHealthy();
      await stack.previewsNoChange();
      const again = mustSucceed("start", await cluster.groundplane("start", "--yes")).stdout;
      assert.match(again, /is up; no changes/);
      inner.diagnostic(again);
      await stays();
    });

    await step("files of its nodes change in place", async () => {
      stack.configure(dataCenter.replace("podGraceSeconds: 5", "podGraceSeconds: 6"));
      const output = countsOf(await up(stack));
      assert.match(output, /updated/);
      assert.doesNotMatch(output, /replaced|deleted/);
      await stack.previewsNoChange();
      await stays();
    });

    await step("its master and its worker get another image, as the same machines", async () => {
      const image = await planImage(stack, "taken-over", { "etc/image-mark": "taken over\n" });
      const output = countsOf(await up(stack));
      assert.doesNotMatch(output, /replaced \d|deleted/);
      for (const [index, name] of machines.entries()) {
        if (name !== "master-1" && name !== "worker-1") continue;
        assert.deepEqual(await seen(stack, name), { ...before[index], image, formerImage: undefined });
        assert.equal(mustSucceed("mark", await cluster.onNode(name, "cat /etc/image-mark")).stdout, "taken over\n");
      }
      await waitForReadyNodes(stack, 2);
      await eventually(
        "the pods run again",
        patienceMs,
        () => inCluster("get deployment idle -o jsonpath={.status.readyReplicas}"),
        (ready) => ready === "2",
      );
      assert.equal(await remembered(), "by the earlier version");
      await stack.isHealthy();
      await stack.previewsNoChange();
    });
  });
}
