/**
 * Another image reaches the workers of a running stack by plain `pulumi up`: one after the other, as the same machines, also after a
 * kill in the middle. An image that does not work gives way to the former one. Two of three follow at the same time where the configuration
 * says so.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { apply, askMeanwhile, countsOf, tellGap, up, waitForReadyNodes } from "../e2e/lab-under-test";
import { machineOf, planImage, seen } from "../e2e/planned-image";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { idleDeployment } from "../support/idle-deployment";
import { killProviders } from "../support/kill-providers";
import { nspawnSkipReason } from "../support/nspawn-host";
import { orderOfRoll } from "../support/order-of-roll";

const dataCenter = `driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 1}
  etcd: {count: 1}
  workers: {count: 2}
options: {fastProbes: true, podGraceSeconds: 5}
`;

const workers = ["worker-1", "worker-2"];

const idleBudget = JSON.stringify({
  ...{ apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name: "idle" } },
  spec: { minAvailable: 2, selector: { matchLabels: { app: "idle" } } },
});
const available = "jsonpath={.status.availableReplicas}";

/** What is answered while something runs. */
async function askDuring<T>(running: Promise<unknown>, ask: () => Promise<T>) {
  const [answers, started] = [[] as T[], performance.now()];
  let isDone = false;
  const askAgain = async () => {
    for (; !isDone; await sleep(500)) answers.push(await ask());
  };
  await Promise.all([running.finally(() => (isDone = true)), askAgain()]);
  return { answers, seconds: (performance.now() - started) / 1000 };
}

/** Masters do not change, so that the API is away for no longer than on any busy host. */
const LONGEST_GAP_MS = 5_000;

test("a changed image reaches the workers, one after the other", {
  skip: nspawnSkipReason(),
  timeout: 25 * 60_000,
}, async (t) => {
  const stack = smallStack("roll");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout;

  await step("a small stack with two workers", async () => {
    stack.configure(dataCenter);
    await stack.start();
    await apply(stack, idleDeployment(4));
  });

  await step("a preview lists them, and up gives them the image as the same machines", async (inner) => {
    const before = await Promise.all(workers.map((name) => seen(stack, name)));
    const master = await seen(stack, "master-1");
    const image = await planImage(stack, "one", { "etc/image-mark": "one\n" });
    const preview = mustSucceed("preview", await cluster.groundplane("preview")).stdout;
    for (const name of workers)
      assert.match(preview, new RegExp(`\`${name}\` \\| gets another image \\| image: .* -> ${image}`));
    assert.match(
      mustSucceed("preview", await cluster.pulumi("preview")).stdout,
      /worker-1 moves from .* it is drained/,
    );
    const client = await askMeanwhile(stack);
    const started = performance.now();
    const output = await up(stack);
    inner.diagnostic(`two workers: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    const answered = await client.stop();
    tellGap(inner, "roll of two workers", answered);
    assert.ok(answered.longestGapMs <= LONGEST_GAP_MS, `no response for ${answered.longestGapMs} ms`);
    assert.doesNotMatch(countsOf(output), /replaced \d|deleted/);
    for (const [index, name] of workers.entries()) {
      assert.deepEqual(await seen(stack, name), { ...before[index], image, formerImage: undefined });
      assert.equal(await on(name, "cat /etc/image-mark"), "one\n");
    }
    assert.deepEqual(await seen(stack, "master-1"), master, "a master whose etcd has one machine keeps its image");
    await waitForReadyNodes(stack, 3);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step(
    "a worker that does not work with its image gets the former one back, and the others are not touched",
    async () => {
      const before = await Promise.all(workers.map((name) => seen(stack, name)));
      await planImage(stack, "broken", { "usr/local/bin/kubeadm": "#!/bin/sh\necho no such kubeadm >&2\nexit 1\n" });
      const failed = await cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
      assert.notEqual(failed.exitCode, 0);
      assert.match(
        failed.stdout.replaceAll(/\s+/g, " "),
        /worker-1 does not work with the image .*, and it has its former image .*worker-1 did not become a member/,
      );
      assert.deepEqual(await Promise.all(workers.map((name) => seen(stack, name))), before);
      await waitForReadyNodes(stack, 3);
      assert.equal(await on("worker-1", "cat /etc/image-mark"), "one\n");
      await stack.isHealthy();
    },
  );

  await step("a roll whose provider is killed goes on with the next up", async () => {
    const image = await planImage(stack, "two", { "etc/image-mark": "two\n" });
    const rolling = cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    const isExchanged = async () => (await machineOf(stack, "worker-1")).formerImage !== undefined;
    await eventually("worker-1 has another disk", patienceMs, isExchanged, (yes) => yes);
    await killProviders(stack.project);
    assert.notEqual((await rolling).exitCode, 0);
    await up(stack);
    for (const name of workers) {
      assert.equal((await seen(stack, name)).image, image);
      assert.equal((await seen(stack, name)).formerImage, undefined);
    }
    await waitForReadyNodes(stack, 3);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step("two of three workers get an image at the same time, within the budget of their pods", async (inner) => {
    stack.configure(dataCenter.replace("{count: 2}", "{count: 3, maxUnavailable: 2}"));
    await up(stack);
    await waitForReadyNodes(stack, 4);
    await apply(stack, idleBudget);
    // All pods are on one worker, whose drain would wait for them until the others have their image.
    await cluster.kubectl("master-1", "rollout", "restart", "deployment/idle");
    await cluster.kubectl("master-1", "rollout", "status", "deployment/idle", "--timeout=60s");
    const image = await planImage(stack, "three", { "etc/image-mark": "three\n" });
    const preview = mustSucceed("preview", await cluster.groundplane("preview")).stdout;
    assert.equal(orderOfRoll(preview), "worker-1 with worker-2, worker-3", preview);
    const running = up(stack);
    const [machines, pods] = await Promise.all([
      askDuring(running, () => Promise.all(workers.map((name) => machineOf(stack, name)))),
      askDuring(running, () => cluster.kubectl("master-1", "get", "deployment", "idle", "--output", available)),
    ]);
    inner.diagnostic(`three workers, two at a time: ${machines.seconds.toFixed(1)} s`);
    const away = machines.answers.map((two) => two.filter(({ formerImage }) => formerImage !== undefined).length);
    const counts = pods.answers.flatMap(({ exitCode, stdout }) => (exitCode === 0 ? Number(stdout) : []));
    assert.equal(Math.max(...away), 2, "both are away at the same time");
    assert.ok(counts.length > 5 && Math.min(...counts) >= 2, `available replicas: ${counts.join(" ")}`);
    for (const name of [...workers, "worker-3"]) assert.equal((await machineOf(stack, name)).spec.image, image);
    await waitForReadyNodes(stack, 4);
    await stack.isHealthy();
    await stack.previewsNoChange();
  });
});
