/**
 * The registry of a running stack: one `start` adds it, and no node is recreated. This host pushes images, and nodes pull them, also after the
 * loss of the worker that runs it and of a storage machine.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl, secondsSince } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { askStack } from "../e2e/stack-with-add-ons";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { freePort } from "../support/host-observations";
import { nspawnSkipReason } from "../support/nspawn-host";

/** Until the registry answers again when its worker has lost its power. */
const LONGEST_GAP_S = 90;

const workers = ["worker-1", "worker-2"];
const nodes = ["gateway", "balancer-1", "master-1", ...workers, "storage-1", "storage-2", "storage-3"];
const pulled = "registry.groundplane.internal/app";

const dataCenter = (registry: boolean, port: number): string => `driver: nspawn
pools:
  balancers: {count: 1}
  masters: {count: 1}
  workers: {count: 2}
  storage: {count: 3, disks: [{name: brick, sizeGiB: 2}]}
options: {fastProbes: true}
${registry ? `addons: {registry: true}\nhostPorts: {registry: ${port}}\n` : ""}`;

/** On every worker, from an image that no node has. */
const application = (tag: string): string => `apiVersion: apps/v1
kind: DaemonSet
metadata: { name: app }
spec:
  selector: { matchLabels: { app: app } }
  template:
    metadata: { labels: { app: app } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: app, image: "${pulled}:${tag}", imagePullPolicy: Always, command: [sleep, infinity] }]
`;

test("a registry is added to a running stack, serves images, and survives a worker and a storage machine", {
  skip: nspawnSkipReason(),
  timeout: 40 * 60_000,
}, async (t) => {
  const stack = smallStack("registry");
  const { cluster, driver } = stack;
  const port = await freePort();
  const archive = path.join(stack.project.data, "app.tar.gz");
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const { on, ask, start, generations, rowBecomes, idle } = askStack(stack, nodes);
  const push = (tag: string, file = archive) => cluster.groundplane("image", "push", file, "--as", `app:${tag}`);
  const kill = async (name: string): Promise<void> => {
    assert.ok(driver.hardKill);
    await driver.hardKill.hardKill({ stack: cluster.stack, name });
  };
  const runs = async (tag: string): Promise<void> => {
    const text = Buffer.from(application(tag)).toString("base64");
    await on("master-1", `echo ${text} | base64 -d | ${kubectl} apply -f -`);
    await ask("rollout status daemonset/app --timeout=300s");
  };
  const placeOfRegistry = () =>
    ask(
      "--namespace kube-system get pods --selector k8s-app=registry --field-selector status.phase=Running " +
        "-o jsonpath='{range .items[*]}{.spec.nodeName} {end}'",
    );
  let without = { cores: 0, memoryMiB: 0 };
  let created: Awaited<ReturnType<typeof generations>> = [];

  await step("it starts without a registry", async () => {
    stack.configure(dataCenter(false, port));
    await stack.start();
    await stack.isHealthy();
    await rowBecomes("registry", "inapplicable");
    assert.match((await push("1")).stderr, /has no registry[\s\S]*addons: \{registry: true\}/);
    created = await generations();
    without = await idle();
  });

  await step("one start adds it, and no node is recreated", async (inner) => {
    stack.configure(dataCenter(true, port));
    const started = performance.now();
    await start();
    inner.diagnostic(`start took ${secondsSince(started)}`);
    assert.deepEqual(await generations(), created);
    await stack.isHealthy();
    await rowBecomes("registry", "healthy");
    await stack.previewsNoChange();
    const used = await idle();
    const [cores, memoryMiB] = [used.cores - without.cores, used.memoryMiB - without.memoryMiB];
    inner.diagnostic(`it uses ${cores.toFixed(3)} cores and ${memoryMiB.toFixed(0)} MiB when idle`);
    inner.diagnostic(await on("worker-1", "du -sm /var/lib/containerd | cut -f 1; crictl images | grep registry"));
  });

  await step("this host pushes an image, and every worker pulls it", async (inner) => {
    const image = "ctr --namespace k8s.io images export - groundplane.internal/busybox:1 | gzip -1 | base64 -w 0";
    fs.writeFileSync(archive, Buffer.from(await on("worker-1", image), "base64"));
    const started = performance.now();
    const { stdout } = mustSucceed("push", await push("1"));
    inner.diagnostic(`push of ${fs.statSync(archive).size} bytes took ${secondsSince(started)}`);
    assert.match(stdout, /^registry\.groundplane\.internal\/app:1@sha256:[0-9a-f]{64}\nSent 2 of its blobs\.$/m);
    assert.match(mustSucceed("push", await push("1")).stdout, /It was there already/);
    await runs("1");
    const placed = await ask("get pods --selector app=app -o jsonpath='{.items[*].spec.nodeName}'");
    assert.deepEqual(placed.split(" ").sort(), workers);
    for (const name of workers) assert.match(await on(name, "crictl images"), /registry\.groundplane\.internal\/app/);
  });

  await step("a large archive is sent in chunks", async () => {
    const parts = path.join(stack.project.data, "parts");
    const [own] = fs.readdirSync(parts).filter((name) => name.startsWith("add-on-registry-"));
    assert.ok(own);
    const { stdout } = mustSucceed("push", await push("large", path.join(parts, own, "content", "image.tar")));
    assert.match(stdout, /Sent 2 of its blobs/);
  });

  await step("another worker runs it when its own has lost its power", async (inner) => {
    const place = (await placeOfRegistry()).trim();
    assert.ok(workers.includes(place), place);
    const other = workers.find((name) => name !== place) ?? "";
    const killed = performance.now();
    await kill(place);
    const moved = () => cluster.onNode("master-1", `${kubectl} get --raw ${catalog}`);
    await sleep(5_000);
    const { stdout } = await eventually("the registry", patienceMs, moved, ({ exitCode }) => exitCode === 0);
    const gap = (performance.now() - killed) / 1_000;
    inner.diagnostic(`${place} was killed: the registry answers after ${gap.toFixed(1)} s`);
    assert.match(stdout, /"app"/, "the images are still there");
    assert.ok(gap < LONGEST_GAP_S, `${gap} s`);
    assert.match(mustSucceed("push", await push("1")).stdout, /It was there already/);
    mustSucceed("push", await push("2"));
    await on(other, `crictl rmi ${pulled}:1; true`);
    await on(other, `crictl pull ${pulled}:2`);
    await start();
    await stack.isHealthy();
    await runs("2");
  });

  await step("it serves and takes images without one of three storage machines", async (inner) => {
    await kill("storage-1");
    const started = performance.now();
    mustSucceed("push", await push("3"));
    inner.diagnostic(`the first push after storage-1 was killed took ${secondsSince(started)}`);
    for (const name of workers) await on(name, `crictl rmi --all >/dev/null 2>&1; crictl pull ${pulled}:3`);
    await start();
    await stack.isHealthy();
  });

  await step("space of deleted images can be freed", async () => {
    const collect = "registry garbage-collect /etc/distribution/config.yml";
    assert.match(await ask(`--namespace kube-system exec deployment/registry -- ${collect}`), /app: marking manifest/);
  });

  await step("the row of a registry that does not answer is unhealthy", async () => {
    await ask("--namespace kube-system scale deployment registry --replicas=0");
    await rowBecomes("registry", "unhealthy");
    await start();
    await rowBecomes("registry", "healthy");
  });

  await step("one start removes it with its images", async () => {
    await ask("delete daemonset app");
    stack.configure(dataCenter(false, port));
    await start();
    assert.equal(await ask("--namespace kube-system get persistentvolumeclaims -o name"), "");
    await rowBecomes("registry", "inapplicable");
    await stack.isHealthy();
    await stack.previewsNoChange();
  });
});

const catalog = "/api/v1/namespaces/kube-system/services/https:registry:https/proxy/v2/_catalog";
