/**
 * Add-ons on a running stack: one `start` adds them and another one removes them, and no node is recreated. `kubectl top` answers, and a
 * Service has an address that every segment reaches, also after the loss of the worker that answers for it.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl, secondsSince, supportFile } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { askStack } from "../e2e/stack-with-add-ons";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { freePort, page } from "../support/host-observations";
import { nspawnSkipReason } from "../support/nspawn-host";

/** Until a Service answers again when its worker has lost its power. */
const LONGEST_GAP_MS = 5_000;
/** Longer than until endpoints of a lost node are removed. */
const CLIENT_SECONDS = 60;

const nodes = ["gateway", "balancer-1", "master-1", "worker-1", "worker-2"];
const workers = ["worker-1", "worker-2"];

/** Of the Service that the host reaches. */
const fixedAddress = "192.168.62.80";

const dataCenter = (addOns: boolean, port: number): string => `driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 1}
  workers: {count: 2}
  storage: {count: 0}
options: {fastProbes: true}
${addOns ? `addons: {metrics-server: true, metallb: true}\nhostPorts: {services: [{port: ${port}, address: ${fixedAddress}}]}\n` : ""}`;

/** Asks a page all the time, each connection for half a second at most, and prints a line for each answer: milliseconds, node. */
const client = (address: string): string =>
  `end=$(($(date +%s) + ${CLIENT_SECONDS})); while [ "$(date +%s)" -lt "$end" ]; do \
node=$(curl -s -m 0.5 http://${address}); echo "$(date +%s%3N) \${node:--}"; sleep 0.05; done`;

interface Answer {
  readonly atMs: number;
  readonly node: string | undefined;
}

const answersIn = (text: string): readonly Answer[] =>
  text
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .map(([at, node]) => ({ atMs: Number(at), node: node === "-" ? undefined : node }));

function gapsOf(answers: readonly Answer[]) {
  const good = answers.filter(({ node }) => node !== undefined).map(({ atMs }) => atMs);
  const longestMs = Math.max(...good.slice(1).map((at, index) => at - (good[index] ?? at)));
  const failed = answers.filter(({ node }) => node === undefined);
  const troubledMs = failed.length === 0 ? 0 : (failed.at(-1)?.atMs ?? 0) - (failed[0]?.atMs ?? 0);
  return { longestMs, troubledMs, failed: failed.length, asked: answers.length };
}

test("add-ons are added to a running stack, work, survive a worker, and are removed", {
  skip: nspawnSkipReason(),
  timeout: 20 * 60_000,
}, async (t) => {
  const stack = smallStack("add-ons");
  const { cluster, driver } = stack;
  const port = await freePort();
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const { on, ask, start, generations, rowOf, rowBecomes, idle } = askStack(stack, nodes);
  const images = (node: string) =>
    on(node, "ctr --namespace k8s.io images list --quiet | grep -E 'metal|metrics'; true");
  let without = { cores: 0, memoryMiB: 0 };
  let created: Awaited<ReturnType<typeof generations>> = [];
  let address = "";

  await step("it starts without add-ons, and has nothing of them", async () => {
    stack.configure(dataCenter(false, port));
    await stack.start();
    await stack.isHealthy();
    for (const check of ["metrics", "service-addresses"]) await rowBecomes(check, "inapplicable");
    assert.equal(await images("worker-1"), "");
    created = await generations();
    without = await idle();
  });

  await step("one start adds them, and no node is recreated", async (inner) => {
    stack.configure(dataCenter(true, port));
    const started = performance.now();
    await start();
    inner.diagnostic(`start took ${secondsSince(started)}`);
    assert.deepEqual(await generations(), created);
    for (const name of workers) assert.equal((await images(name)).split("\n").length, 2);
    assert.equal(await images("master-1"), "", "masters run no pod of them");
    await stack.isHealthy();
    await stack.previewsNoChange();
    const used = await idle();
    const [cores, memoryMiB] = [used.cores - without.cores, used.memoryMiB - without.memoryMiB];
    inner.diagnostic(`they use ${cores.toFixed(3)} cores and ${memoryMiB.toFixed(0)} MiB when idle`);
  });

  await step("kubectl top tells about every node and pod", async () => {
    const top = () => cluster.onNode("master-1", `${kubectl} top nodes --no-headers`);
    const { stdout } = await eventually("kubectl top", patienceMs, top, ({ stdout: text }) => /worker-2 /.test(text));
    for (const name of ["master-1", ...workers])
      assert.match(stdout, new RegExp(`^${name} +\\d+m +\\d+% +\\d+Mi`, "m"));
    assert.match(await ask("top pods --namespace kube-system --no-headers"), /^coredns-\S+ +\d+m +\d+Mi/m);
    await rowBecomes("metrics", "healthy", /3 Nodes/);
  });

  await step("a Service gets an address of the planned range, which every segment reaches", async () => {
    const text = Buffer.from(supportFile("published-page.yaml")).toString("base64");
    await on("master-1", `echo ${text} | base64 -d | ${kubectl} apply -f -`);
    await ask("rollout status deployment/page --timeout=120s");
    const addressOf = () => ask("get service page -o jsonpath='{.status.loadBalancer.ingress[0].ip}'");
    address = await eventually("an address", patienceMs, addressOf, (found) => found !== "");
    assert.equal(address, fixedAddress);
    const another = await ask("get service empty -o jsonpath='{.status.loadBalancer.ingress[0].ip}'");
    assert.match(another, /^192\.168\.6[23]\.\d+$/, "of the planned range");
    for (const name of nodes) {
      const page = () => cluster.onNode(name, `curl -s -m 3 http://${address}`);
      await eventually(`the page for ${name}`, patienceMs, page, ({ stdout }) => /^worker-[12]\n$/.test(stdout));
    }
    assert.match(await ask(`exec deployment/page -- wget -q -T 3 -O - http://${address}`), /^worker-[12]$/);
    await eventually(
      "the page for this host",
      patienceMs,
      () => page(port),
      (shown) => /^worker-[12]$/.test(shown),
    );
    await rowBecomes("service-addresses", "unhealthy", /^default\/outside: has no address$/);
    await ask("delete service empty outside");
    await rowBecomes("service-addresses", "healthy", /default\/page: worker-[12] answers for 192\.168\.6/);
    // Another port of the address is refused or times out, and reaches no node.
    assert.notEqual((await cluster.onNode("balancer-1", `curl -s -m 2 http://${address}:22`)).exitCode, 0);
  });

  await step("another worker answers within seconds when the one that did has lost its power", async (inner) => {
    const [, answering = ""] = /default\/page: (worker-[12])/.exec((await rowOf("service-addresses")).summary) ?? [];
    const shared = await ask("get service shared -o jsonpath='{.status.loadBalancer.ingress[0].ip}'");
    const answers = on("gateway", client(address));
    const ofShared = on("balancer-1", client(shared));
    await sleep(3_000);
    const killedMs = Date.now();
    await driver.hardKill?.hardKill({ stack: cluster.stack, name: answering });
    const seen = answersIn(await answers);
    const { longestMs } = gapsOf(seen);
    const tell = ({ longestMs: gap, troubledMs, failed, asked }: ReturnType<typeof gapsOf>): string =>
      `no answer for ${gap} ms; ${failed} of ${asked} requests failed within ${troubledMs} ms`;
    inner.diagnostic(`${answering} was killed: ${tell(gapsOf(seen))}`);
    inner.diagnostic(`with externalTrafficPolicy Cluster: ${tell(gapsOf(answersIn(await ofShared)))}`);
    const last = seen.filter(({ node }) => node === answering).at(-1)?.atMs ?? 0;
    assert.ok(last - killedMs < 2_000, `${answering} answered ${last - killedMs} ms after its end`);
    assert.ok(longestMs <= LONGEST_GAP_MS, `no answer for ${longestMs} ms`);
    const top = () => cluster.onNode("master-1", `${kubectl} top nodes --no-headers`);
    await eventually("kubectl top without the lost worker", patienceMs, top, ({ exitCode }) => exitCode === 0);
    await start();
    await stack.isHealthy();
  });

  await step("a container image that was deleted on a worker is a difference, and up brings it", async () => {
    await on(
      "worker-1",
      "ctr --namespace k8s.io images list --quiet | grep /metallb: | xargs ctr --namespace k8s.io images remove",
    );
    const { stdout } = mustSucceed("preview", await cluster.pulumi("preview", "--non-interactive"));
    assert.match(stdout, /worker-1-container-image-metallb-/);
    mustSucceed("up", await cluster.pulumi("up", "--yes", "--skip-preview", "--non-interactive"));
    assert.match(await images("worker-1"), /metallb/);
    await stack.previewsNoChange();
  });

  await step("one start removes them, and no node is recreated", async () => {
    const before = await generations();
    await ask("delete service page shared");
    stack.configure(dataCenter(false, port));
    await start();
    assert.deepEqual(await generations(), before);
    for (const name of workers) assert.equal(await images(name), "");
    assert.equal(await ask("get customresourcedefinitions -o name | grep metallb; true"), "");
    for (const check of ["metrics", "service-addresses"]) await rowBecomes(check, "inapplicable");
    await stack.isHealthy();
    await stack.previewsNoChange();
  });
});
