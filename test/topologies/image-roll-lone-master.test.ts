/**
 * Another image reaches the only master of a running stack by plain `pulumi up`, with the data of etcd: it interrupts the API, as a preview
 * says, and loses no write that the API has acknowledged. Nodes and pods stay the same. A kill at any time is completed by the next `up`, and
 * an image that does not work gives way to the former one.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { featuresOf } from "../../model/drivers";
import { createNamespace, writeRepeatedly } from "../../verify/acknowledged-writes";
import { apiClient } from "../../verify/api-client";
import { askMeanwhile, kubectl, secondsSince, tellGap, up, waitForReadyNodes } from "../e2e/lab-under-test";
import { machineOf, planImage, seen } from "../e2e/planned-image";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { exampleSettings } from "../support/example-stacks";
import { killProviders } from "../support/kill-providers";
import { appendStep, noticedMoments, type RollStep } from "../support/noticed-moments";
import { nspawnSkipReason } from "../support/nspawn-host";

const node = "master-1";

/** The driver follows when this test has passed with it. */
const skipReason = () =>
  featuresOf("nspawn").movesEtcd ? nspawnSkipReason() : "this driver does not move the data of etcd yet";

/** A boot and the start of a control plane, while other tests use the processors. */
const LONGEST_OUTAGE_MS = 180_000;

test("a changed image reaches the only master", { skip: skipReason(), timeout: 30 * 60_000 }, async (t) => {
  const stack = smallStack("roll-lone");
  const { cluster } = stack;
  const writers = new Set<ReturnType<typeof writeRepeatedly>>();
  const step = (name: string, run: (inner: TestContext) => Promise<void>) =>
    stack.step(t, name, async (inner) => {
      await run(inner).finally(() => Promise.allSettled([...writers].map((writer) => writer.stop())));
    });
  const on = async (name: string, command: string) =>
    mustSucceed(command, await cluster.onNode(name, command)).stdout.trim();
  const rolling = () => cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");

  /** What stays: the Nodes, and the containers of the worker. */
  const nodesAndContainers = async () => {
    const nodes = await on(node, `${kubectl} get nodes --output 'jsonpath={.items[*].metadata.uid}'`);
    const containers =
      "{range .items[*]}{.metadata.uid} {.status.containerStatuses[*].containerID} {.status.containerStatuses[*].restartCount}{'\\n'}{end}";
    const pods = await on(
      node,
      `${kubectl} get pods --all-namespaces --selector=k8s-app=kube-proxy --field-selector=spec.nodeName=worker-1 --output "jsonpath=${containers}"`,
    );
    return { nodes, pods };
  };
  const isHealthyAsPlanned = async (image: string, mark: string) => {
    const { formerImage, ...now } = await seen(stack, node);
    assert.deepEqual([now.image, formerImage], [image, undefined]);
    assert.equal(await on(node, "cat /etc/image-mark"), mark);
    await waitForReadyNodes(stack, 2);
    await stack.isHealthy();
    await stack.previewsNoChange();
  };
  const writing = async () => {
    const kubeconfig = mustSucceed("kubeconfig", await cluster.groundplane("kubeconfig")).stdout;
    await createNamespace(apiClient(kubeconfig));
    const writer = writeRepeatedly(kubeconfig);
    writers.add(writer);
    await writer.begun;
    return async () => {
      writers.delete(writer);
      const written = await writer.stop();
      assert.deepEqual(written.lost, []);
      assert.ok(written.sent - written.failed > 20, `${written.sent - written.failed} writes`);
      return written;
    };
  };

  await step("a small stack with a Secret", async () => {
    stack.configure(JSON.stringify({ ...exampleSettings("small"), driver: "nspawn", options: { fastProbes: true } }));
    await stack.start();
    await on(node, `${kubectl} create secret generic sealed --from-literal=value=sealed-value`);
    await stack.isHealthy();
  });

  await step("a preview says what is unavailable meanwhile, and up loses no write", async (inner) => {
    const [machine, before] = [await seen(stack, node), await nodesAndContainers()];
    const image = await planImage(stack, "one", { "etc/image-mark": "one\n" }, node);
    const told = mustSucceed("preview", await cluster.pulumi("preview")).stdout.replaceAll(/\s+/g, " ");
    assert.match(
      told,
      /master-1 moves from .*: it is drained, restarts from a new system disk, and starts the cluster again with the data of etcd; .* Unavailable meanwhile: the API, until it is back/,
    );
    const review = mustSucceed("review", await cluster.groundplane("preview")).stdout;
    assert.match(
      review,
      /`master-1` \| gets another image \| image: .* \| the API, .* \| high: there is only one master/,
    );

    const [reader, stopWriting] = [await askMeanwhile(stack), await writing()];
    const steps: RollStep[] = [];
    const endSteps = cluster.onLine((line) => appendStep(steps, line));
    const started = performance.now();
    await up(stack);
    inner.diagnostic(`master and worker: ${secondsSince(started)}`);
    endSteps();
    const [answered, written] = [await reader.stop(), await stopWriting()];
    tellGap(inner, "roll of the only master", answered);
    for (const line of noticedMoments(steps, { API: answered, writes: written }, started)) inner.diagnostic(line);
    assert.ok(answered.longestGapMs <= LONGEST_OUTAGE_MS, `no response for ${answered.longestGapMs} ms`);
    assert.deepEqual(await seen(stack, node), { ...machine, image, formerImage: undefined });
    assert.equal((await nodesAndContainers()).nodes.split(" ")[0], before.nodes.split(" ")[0]);
    const value = await on(node, `${kubectl} get secret sealed --output jsonpath={.data.value} | base64 -d`);
    assert.equal(value, "sealed-value");
    await isHealthyAsPlanned(image, "one");
  });

  for (const [moment, wait] of [
    ["before its disk is exchanged", async () => undefined],
    ["while its former disk is aside", isAway],
    ["soon after the new disk may accept writes", async () => isAway().then(() => sleep(20_000))],
  ] as const) {
    await step(`an up that is killed ${moment} is completed by the next one`, async (inner) => {
      const mark = moment.split(" ")[0] ?? "";
      const image = await planImage(stack, mark, { "etc/image-mark": `${mark}\n` }, node);
      const stopWriting = await writing();
      let isStopping = false;
      const endSteps = cluster.onLine((line) => {
        isStopping ||= line.includes("stopping the control plane");
      });
      const killed = rolling();
      await eventually(
        "the control plane stops",
        patienceMs,
        async () => isStopping,
        (yes) => yes,
      );
      await wait();
      await killProviders(stack.project);
      endSteps();
      assert.notEqual((await killed).exitCode, 0);
      const started = performance.now();
      await up(stack);
      inner.diagnostic(`the next up: ${secondsSince(started)}`);
      await stopWriting();
      await isHealthyAsPlanned(image, mark);
    });
  }

  await step(
    "a master that does not work with its image gets the former one back, and loses no write",
    async (inner) => {
      const before = await seen(stack, node);
      const mark = await on(node, "cat /etc/image-mark");
      // It starts the cluster, so that writes are accepted, and gives no pod a network.
      await planImage(stack, "broken", { "usr/lib/cni/portmap": "#!/bin/sh\nexit 1\n" }, node);
      const stopWriting = await writing();
      const started = performance.now();
      const failed = await rolling();
      inner.diagnostic(`a failed roll and its way back: ${secondsSince(started)}`);
      assert.notEqual(failed.exitCode, 0);
      await stopWriting();
      assert.deepEqual(await seen(stack, node), before);
      assert.equal(await on(node, "cat /etc/image-mark"), mark);
      await stack.isHealthy();
    },
  );

  async function isAway(): Promise<void> {
    const asked = async () => (await machineOf(stack, node)).formerImage !== undefined;
    await eventually("the master has another disk", patienceMs, asked, (yes) => yes);
  }
});
