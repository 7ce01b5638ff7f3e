/**
 * Another image reaches the only storage machine of a running stack by plain `pulumi up`: clients that have its volume mounted reach it
 * again without a new mount, and no acknowledged write is lost. An image that does not work gives way to the former one.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { apply, secondsSince, supportFile, up } from "../e2e/lab-under-test";
import { machineOf, planImage, seen } from "../e2e/planned-image";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { killProviders } from "../support/kill-providers";
import { nspawnSkipReason } from "../support/nspawn-host";
import { orderOfRoll } from "../support/order-of-roll";

const node = "storage-1";
const folder = "/var/lib/groundplane/volumes/data";

/** A boot of the machine and the first attempts of its clients, while other tests use the processors. */
const LONGEST_OUTAGE_MS = 90_000;

/** Writes the number and the time of each acknowledged write, and numbers through a file that stays open. */
const writing = `exec 3>>${folder}/open; n=0; while :; do n=$((n + 1)); \
{ echo $n $(date +%s%3N) >>${folder}/log && sync ${folder}/log; } 2>/dev/null && echo $n >>/run/acknowledged; \
echo $n >&3; sleep 0.1; done`;

test("a changed image reaches the only storage machine", {
  skip: nspawnSkipReason(),
  timeout: 20 * 60_000,
}, async (t) => {
  const stack = smallStack("roll-lone");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (name: string, command: string) => mustSucceed(command, await cluster.onNode(name, command)).stdout;
  const onWorker = async (command: string) => (await on("worker-1", command)).trim();
  const inPod = (command: string) =>
    cluster.kubectl("master-1", "exec", "deployment/writer-1", "--", "sh", "-c", `'${command}'`);
  const definition = () => on(node, "grep -E '^(volume-id|username|password)=' /var/lib/glusterd/vols/data/info");
  const isWritten = async () => {
    const before = Number(await onWorker("wc -l </run/acknowledged"));
    const now = async () => Number(await onWorker("wc -l </run/acknowledged"));
    await eventually("writes are acknowledged again", patienceMs, now, (count) => count > before + 5);
  };
  let known = "";

  await step("a stack with one storage machine, a claim with data, and a client that writes", async () => {
    stack.configure(`driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 1}
  workers: {count: 1}
  storage: {count: 1, disks: [{name: brick, sizeGiB: 1}]}
options: {fastProbes: true, keepDataDisks: false}
`);
    await stack.start();
    const [claim, writer] = supportFile("shared-claim.yaml").split("---\n");
    await apply(stack, `${claim}---\n${writer}`);
    await eventually(
      "the pod writes",
      patienceMs,
      () => inPod("echo kept > /shared/file && sync"),
      ({ exitCode }) => exitCode === 0,
    );
    await onWorker(`systemd-run --quiet --unit=writer bash -c '${writing}'`);
    known = await definition();
    assert.match(known, /volume-id=/);
  });

  await step("a preview says what is unavailable meanwhile, and clients reach the volume again", async (inner) => {
    const before = await seen(stack, node);
    const image = await planImage(stack, "one", { "etc/image-mark": "one\n" }, node);
    const review = mustSucceed("review", await cluster.groundplane("preview")).stdout;
    assert.equal(orderOfRoll(review), "gateway, balancer-1, storage-1", review);
    assert.match(
      review,
      /`storage-1` \| gets another image \| image: .* \| all volumes, until it is back.* \| high: there is only one/,
    );
    const started = performance.now();
    await up(stack);
    inner.diagnostic(`gateway, balancer and storage machine: ${secondsSince(started)}`);
    assert.deepEqual(await seen(stack, node), { ...before, image, formerImage: undefined });
    assert.equal(await on(node, "cat /etc/image-mark"), "one\n");
    assert.equal(await definition(), known, "the same volume, with the same password");
    await isWritten();
    // What is acknowledged after the question is no loss.
    const acknowledged = await onWorker("cat /run/acknowledged");
    const logged = await onWorker(`cat ${folder}/log`);
    const lines = logged.split("\n").map((line) => line.split(" ").map(Number));
    const numbers = new Set(lines.map(([number]) => number));
    const lost = acknowledged
      .split("\n")
      .map(Number)
      .filter((number) => !numbers.has(number));
    assert.deepEqual(lost, []);
    const times = lines.map(([, time = 0]) => time);
    const gap = Math.max(...times.slice(1).map((time, index) => time - (times[index] ?? 0)));
    inner.diagnostic(`longest time without an acknowledged write to the volume: ${gap} ms`);
    assert.ok(gap <= LONGEST_OUTAGE_MS, `${gap} ms`);
    const open = (await onWorker(`tail -n 1 ${folder}/open`)).trim();
    inner.diagnostic(`an open file has ${open} of ${Math.max(...(numbers as Set<number>))} numbers`);
    assert.equal(mustSucceed("read", await inPod("cat /shared/file")).stdout.trim(), "kept");
    mustSucceed("write", await inPod("echo again > /shared/file && sync"));
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step("an up that is killed while the machine is away is completed by the next one", async () => {
    const image = await planImage(stack, "two", { "etc/image-mark": "two\n" }, node);
    const rolling = cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    const isAway = async () => (await machineOf(stack, node)).formerImage !== undefined;
    await eventually("it has another disk", patienceMs, isAway, (yes) => yes);
    await killProviders(stack.project);
    assert.notEqual((await rolling).exitCode, 0);
    await up(stack);
    assert.equal((await seen(stack, node)).image, image);
    assert.equal(await definition(), known);
    await isWritten();
    assert.equal(mustSucceed("read", await inPod("cat /shared/file")).stdout.trim(), "again");
    await stack.isHealthy();
    await stack.previewsNoChange();
  });

  await step("a machine that does not work with its image gets the former one back", async () => {
    const before = await seen(stack, node);
    const noService = "#!/bin/sh\necho no such glusterd >&2\nexit 1\n";
    await planImage(stack, "broken", { "usr/sbin/glusterd": noService, "etc/image-mark": "broken\n" }, node);
    const failed = await cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive");
    assert.notEqual(failed.exitCode, 0);
    assert.match(
      failed.stdout.replaceAll(/\s+/g, " "),
      /storage-1 does not work with the image .*, and it has its former image/,
    );
    assert.deepEqual(await seen(stack, node), before);
    assert.equal(await definition(), known);
    await isWritten();
  });
});
