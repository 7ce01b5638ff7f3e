/**
 * Another image reaches the gateway with the balancers of a pair, and the storage machines of a running stack by plain `pulumi up`, one after the other.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { askMeanwhile, balancers, floatingIpHolder, tellGap, up } from "../e2e/lab-under-test";
import { planImage, seen } from "../e2e/planned-image";
import { smallStack } from "../e2e/small-stack";
import { mustSucceed } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";

const storage = ["storage-1", "storage-2", "storage-3"];

/** The gateway restarts, or the floating IP moves, as when a balancer is shut down, and other tests use the processors. */
const LONGEST_GAP_MS = 30_000;

test("a changed image reaches the balancers of a pair, one after the other", {
  skip: nspawnSkipReason(),
  timeout: 15 * 60_000,
}, async (t) => {
  const stack = smallStack("roll-pair");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);

  await step("a stack with two balancers", async () => {
    stack.configure(`driver: nspawn
pools:
  balancers: {count: 2}
  masters: {count: 1}
  workers: {count: 0}
options: {fastProbes: true}
`);
    await stack.start();
  });

  await step("up gives them and the gateway the image, while two of three have votes", async (inner) => {
    const rolled = ["gateway", ...balancers];
    const before = await Promise.all(rolled.map((name) => seen(stack, name)));
    const image = await planImage(stack, "one", { "etc/image-mark": "one\n" }, "gateway");
    const client = await askMeanwhile(stack);
    const started = performance.now();
    await up(stack);
    inner.diagnostic(`the gateway and two balancers: ${((performance.now() - started) / 1000).toFixed(1)} s`);
    const answered = await client.stop();
    tellGap(inner, "roll of the gateway and two balancers", answered);
    assert.ok(answered.longestGapMs <= LONGEST_GAP_MS, `no response for ${answered.longestGapMs} ms`);
    for (const [index, name] of rolled.entries()) {
      assert.deepEqual(await seen(stack, name), { ...before[index], image, formerImage: undefined });
      assert.equal(mustSucceed("cat", await cluster.onNode(name, "cat /etc/image-mark")).stdout, "one\n");
    }
    assert.notEqual(await floatingIpHolder(stack, balancers), "");
    await stack.isHealthy();
    await stack.previewsNoChange();
  });
});

test("a changed image reaches the storage machines, each after the copies are complete again", {
  skip: nspawnSkipReason(),
  timeout: 15 * 60_000,
}, async (t) => {
  const stack = smallStack("roll-data");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const onWorker = async (command: string) =>
    mustSucceed(command, await cluster.onNode("worker-1", command)).stdout.trim();
  const log = "/var/lib/groundplane/volumes/data/log";

  await step("a stack with three copies of a volume, and a process that writes to it", async () => {
    stack.configure(`driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 1}
  workers: {count: 1}
  storage: {count: 3, disks: [{name: brick, sizeGiB: 1}]}
options: {fastProbes: true, keepDataDisks: false}
`);
    await stack.start();
    const write = `n=0; while :; do n=$((n + 1)); echo $n >>${log} || exit 1; sync ${log}; sleep 0.2; done`;
    await onWorker(`systemd-run --quiet --unit=writer bash -c '${write}'`);
  });

  await step("up gives them the image, and no write is lost", async (inner) => {
    const before = await Promise.all(storage.map((name) => seen(stack, name)));
    const image = await planImage(stack, "one", { "etc/image-mark": "one\n" }, "gateway");
    const started = performance.now();
    await up(stack);
    inner.diagnostic(
      `the gateway, a balancer and three storage machines: ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
    for (const [index, name] of storage.entries()) {
      assert.deepEqual(await seen(stack, name), { ...before[index], image, formerImage: undefined });
      assert.equal(mustSucceed("cat", await cluster.onNode(name, "cat /etc/image-mark")).stdout, "one\n");
    }
    assert.equal(await onWorker("systemctl is-active writer"), "active");
    await onWorker("systemctl stop writer");
    const written = (await onWorker(`cat ${log}`)).split("\n").map(Number);
    assert.ok(written.length > 20, `${written.length} lines`);
    assert.deepEqual(
      written,
      written.map((_, index) => index + 1),
    );
    await stack.isHealthy();
    await stack.previewsNoChange();
  });
});
