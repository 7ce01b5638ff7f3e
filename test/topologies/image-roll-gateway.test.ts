/**
 * Another image reaches the gateway and the only balancer of a running stack by plain `pulumi up`, which interrupts what a preview says, and
 * loses no write that the API has acknowledged: also after a kill while the gateway is away. An image that does not work gives way to the
 * former one.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { guestPaths } from "../../model/guest-paths";
import { createNamespace, writeRepeatedly } from "../../verify/acknowledged-writes";
import { apiClient } from "../../verify/api-client";
import { askMeanwhile, secondsSince, tellGap, up, waitForReadyNodes } from "../e2e/lab-under-test";
import { machineOf, planImage, seen } from "../e2e/planned-image";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { examplePlan } from "../support/example-plans";
import { exampleSettings } from "../support/example-stacks";
import { killProviders } from "../support/kill-providers";
import { appendStep, noticedMoments, type RollStep } from "../support/noticed-moments";
import { nspawnSkipReason } from "../support/nspawn-host";
import { orderOfRoll } from "../support/order-of-roll";

const rolled = ["gateway", "balancer-1"];

/** A boot of the gateway and one of the balancer, while other tests use the processors. */
const LONGEST_OUTAGE_MS = 60_000;

const visitor =
  examplePlan("small").segments.find(({ name }) => name === "workers")?.dynamicRange.first ?? assert.fail();
const guest = `4102444800 52:54:00:aa:bb:cc ${visitor} visitor 01:52:54:00:aa:bb:cc\n`;

test("a changed image reaches the gateway and the only balancer", {
  skip: nspawnSkipReason(),
  timeout: 25 * 60_000,
}, async (t) => {
  const stack = smallStack("roll-gate");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout;
  const leases = async () => (await on("gateway", `cat ${guestPaths.dhcpLeases}`)).split("\n").filter(Boolean);
  const isHealthyAsPlanned = async (image: string, mark: string) => {
    for (const name of rolled) {
      const { formerImage, ...now } = await seen(stack, name);
      assert.deepEqual([now.image, formerImage], [image, undefined], name);
      assert.equal(await on(name, "cat /etc/image-mark"), mark);
    }
    await waitForReadyNodes(stack, 2);
    await stack.isHealthy();
    await stack.previewsNoChange();
  };

  await step("a stack whose gateway has leased an address to a host that is not planned", async () => {
    stack.configure(JSON.stringify({ ...exampleSettings("small"), driver: "nspawn", options: { fastProbes: true } }));
    await stack.start();
    const [line, file] = [Buffer.from(guest).toString("base64"), guestPaths.dhcpLeases];
    await on("gateway", `systemctl stop dnsmasq && echo ${line} | base64 -d >>${file} && systemctl start dnsmasq`);
    assert.ok((await leases()).includes(guest.trim()));
  });

  await step("a preview says what is unavailable meanwhile, and up interrupts it and loses no write", async (inner) => {
    const before = await Promise.all(rolled.map((name) => seen(stack, name)));
    const leased = await leases();
    const image = await planImage(stack, "one", { "etc/image-mark": "one\n" }, "gateway");
    const told = mustSucceed("preview", await cluster.pulumi("preview")).stdout.replaceAll(/\s+/g, " ");
    assert.match(
      told,
      /gateway moves from .* Unavailable meanwhile: traffic between segments, DNS, and access from the/,
    );
    assert.match(told, /balancer-1 moves from .* Unavailable meanwhile: the API, until it is back/);
    const review = mustSucceed("review", await cluster.groundplane("preview")).stdout;
    assert.match(
      review,
      /`gateway` \| gets another image \| image: .* \| traffic between segments, .* \| high: there is only/,
    );
    assert.equal(orderOfRoll(review), "gateway, balancer-1", review);

    const kubeconfig = mustSucceed("kubeconfig", await cluster.groundplane("kubeconfig")).stdout;
    await createNamespace(apiClient(kubeconfig));
    const [reader, writer] = [await askMeanwhile(stack), writeRepeatedly(kubeconfig)];
    await writer.begun;
    const steps: RollStep[] = [];
    const endSteps = cluster.onLine((line) => appendStep(steps, line));
    const started = performance.now();
    await up(stack);
    inner.diagnostic(`gateway and balancer: ${secondsSince(started)}`);
    endSteps();
    const [answered, written] = await Promise.all([reader.stop(), writer.stop()]);
    tellGap(inner, "roll of gateway and balancer", answered);
    for (const line of noticedMoments(steps, { API: answered, writes: written }, started)) inner.diagnostic(line);
    assert.deepEqual(written.lost, []);
    assert.ok(written.sent - written.failed > 20, `${written.sent - written.failed} writes`);
    assert.ok(answered.longestGapMs <= LONGEST_OUTAGE_MS, `no response for ${answered.longestGapMs} ms`);
    for (const [index, name] of rolled.entries())
      assert.deepEqual(await seen(stack, name), { ...before[index], image, formerImage: undefined });
    const addressOf = (line: string): string => line.split(" ").slice(1, 4).join(" ");
    const kept = (await leases()).map(addressOf);
    for (const lease of leased) assert.ok(kept.includes(addressOf(lease)), lease);
    assert.ok((await on("worker-1", `getent hosts visitor.${cluster.stack}.internal`)).startsWith(`${visitor} `));
    await isHealthyAsPlanned(image, "one\n");
  });

  await step("an up that is killed while the gateway is away is completed by the next one", async () => {
    const image = await planImage(stack, "two", { "etc/image-mark": "two\n" }, "gateway");
    const rolling = cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    const isAway = async () => (await machineOf(stack, "gateway")).formerImage !== undefined;
    await eventually("the gateway has another disk", patienceMs, isAway, (yes) => yes);
    await killProviders(stack.project);
    assert.notEqual((await rolling).exitCode, 0);
    await up(stack);
    await isHealthyAsPlanned(image, "two\n");
  });

  await step("a gateway that does not work with its image gets the former one back", async (inner) => {
    const before = await Promise.all(rolled.map((name) => seen(stack, name)));
    const noService = "#!/bin/sh\necho no such dnsmasq >&2\nexit 1\n";
    await planImage(stack, "broken", { "usr/sbin/dnsmasq": noService }, "gateway");
    const started = performance.now();
    const failed = await cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    inner.diagnostic(`a failed roll and its way back: ${secondsSince(started)}`);
    assert.notEqual(failed.exitCode, 0);
    assert.match(
      failed.stdout.replaceAll(/\s+/g, " "),
      /gateway does not work with the image .*, and it has its former image .*dnsmasq does not/,
    );
    assert.deepEqual(await Promise.all(rolled.map((name) => seen(stack, name))), before);
    assert.equal(await on("gateway", "cat /etc/image-mark"), "two\n");
    await stack.isHealthy();
  });
});
