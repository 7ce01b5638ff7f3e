/**
 * The whole life of a highly available data centre, on real machines: born, used, broken, mended, grown, shrunk,
 * destroyed and born again on its kept disks. The steps build on each other, so they are one test with sub-tests.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, before, test } from "node:test";
import { createNspawnDriver } from "../../provider/drivers/nspawn/driver";
import { dataFolder } from "../../provider/host/data-folder";
import { probeApi } from "../support/api-probe";
import { ClusterUnderTest, eventually, mustSucceed } from "../support/cluster-under-test";
import { compareListings, type HostListing, listHost } from "../support/host-listing";
import { copyProject } from "../support/project-copy";
import { occurrencesOfSecrets, secretsOf } from "../support/secret-scan";
import { watchCommandLines } from "../support/command-line-watch";

const stack = "e2e";
const hostData = dataFolder();
const unusable = process.getuid?.() !== 0 ? "system containers need root" : undefined;

/** The example stack under another name, so that a lab of the user's own is never in the way. */
const stackSettings = (workers: number) => `config:
  groundplane:dataCenter:
    driver: nspawn
    pools:
      balancers: { count: 2 }
      masters: { count: 3 }
      workers: { count: ${workers} }
      storage: { count: 3, disks: [{ name: brick, sizeGiB: 5 }] }
`;

test("the life of a lab", { skip: unusable, timeout: 30 * 60_000 }, async (t) => {
  const project = copyProject(hostData);
  process.env.GROUNDPLANE_DATA = project.data;
  const lab = new ClusterUnderTest(project, stack);
  const driver = createNspawnDriver();
  const commandLines = watchCommandLines();
  let untouched: HostListing;
  let apiPort = 0;
  let secrets: ReadonlyMap<string, string> = new Map();
  const nodes = ["master-1", "master-2", "master-3", "worker-1", "worker-2"];
  const up = async (...args: string[]) => mustSucceed("pulumi up", await lab.pulumi("up", "--yes", "--skip-preview", ...args));
  const summaryOf = (stdout: string) => stdout.slice(stdout.indexOf("Resources:"));

  before(() => undefined);
  after(async () => {
    commandLines.stop();
    await lab.groundplane("destroy", "--yes");
    project.remove();
  });

  await t.test("up: every node Ready, every pod Running", async () => {
    fs.writeFileSync(project.stackFile(stack), stackSettings(2));
    mustSucceed("pulumi stack init", await lab.pulumi("stack", "ls"));
    untouched = listHost(project.data);
    const started = performance.now();
    mustSucceed("groundplane start", await lab.groundplane("start", "--yes"));
    t.diagnostic(`up took ${((performance.now() - started) / 1000).toFixed(1)} s`);
    const ready = mustSucceed("get nodes", await lab.kubectl("master-1", "get", "nodes", "--no-headers")).stdout;
    assert.deepEqual(ready.trim().split("\n").map((line) => line.split(/\s+/).slice(0, 2)), nodes.map((name) => [name, "Ready"]));
    const pods = mustSucceed("get pods", await lab.kubectl("master-1", "get", "pods", "-A", "--no-headers")).stdout;
    for (const line of pods.trim().split("\n")) assert.match(line, /\s(\d+)\/\1\s+Running\s/);
    const endpoint = mustSucceed("output", await lab.pulumi("stack", "output", "apiEndpoint")).stdout.trim();
    apiPort = Number(new URL(endpoint).port);
    secrets = await secretsOf(lab);
    assert.ok(secrets.size > 10, "the state holds the stack's secrets");
  });

  await t.test("again: nothing to do", async () => {
    const again = await lab.pulumi("preview", "--expect-no-changes", "--diff");
    mustSucceed("preview --expect-no-changes", again);
    assert.doesNotMatch(summaryOf((await up()).stdout), /created|updated|replaced|deleted/);
  });

  await t.test("a service answers by its DNS name from a pod on another node", async () => {
    const manifest = fs.readFileSync(require.resolve("../support/web-service.yaml"), "utf8");
    mustSucceed("apply", await lab.onNode("master-1", `echo ${Buffer.from(manifest).toString("base64")} | base64 -d | kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f -`));
    mustSucceed("rollout", await lab.kubectl("master-1", "rollout", "status", "deployment/web", "deployment/client", "--timeout=60s"));
    const answer = await eventually(
      "web by name",
      30_000,
      () => lab.kubectl("master-1", "exec", "deployment/client", "--", "wget", "-qO-", "http://web.default.svc.cluster.local"),
      ({ exitCode }) => exitCode === 0,
    );
    assert.equal(answer.stdout.trim(), "worker-1");
    const where = mustSucceed("pods", await lab.kubectl("master-1", "get", "pods", "-l", "app=client", "-o", "jsonpath={.items[*].spec.nodeName}"));
    assert.equal(where.stdout.trim(), "worker-2");
  });

  await t.test("leaders are one each and etcd has three healthy members", async () => {
    for (const lease of ["kube-scheduler", "kube-controller-manager"]) {
      const holder = await lab.kubectl("master-2", "-n", "kube-system", "get", "lease", lease, "-o", "jsonpath={.spec.holderIdentity}");
      assert.match(holder.stdout, /^master-[123]_/);
    }
    const health = mustSucceed("etcdctl", await lab.onNode("master-1", etcdctl("endpoint health --cluster")));
    assert.equal((health.stdout + health.stderr).match(/is healthy/g)?.length, 3);
  });

  await t.test("etcd holds Secrets encrypted, and requests are in the audit log", async () => {
    mustSucceed("create secret", await lab.kubectl("master-1", "create", "secret", "generic", "sealed", "--from-literal=word=plainly-visible"));
    const raw = mustSucceed("etcdctl get", await lab.onNode("master-1", etcdctl("get /registry/secrets/default/sealed --print-value-only")));
    assert.match(raw.stdout, /^k8s:enc:/);
    assert.doesNotMatch(raw.stdout, /plainly-visible/);
    const audit = await eventually("audit log", 10_000, async () => {
      const found = await Promise.all(["master-1", "master-2", "master-3"].map((node) => lab.onNode(node, "grep -c '\"name\":\"sealed\"' /var/log/kubernetes/audit/audit.log || true")));
      return found.reduce((sum, { stdout }) => sum + Number(stdout.trim() || 0), 0);
    }, (count) => count > 0);
    assert.ok(audit > 0);
  });

  await t.test("a hard-killed balancer loses the floating IP, a hard-killed master is not missed", async () => {
    const holder = await floatingIpHolder(lab);
    t.diagnostic(`balancer kill: ${JSON.stringify(await whileProbing(apiPort, () => hardKill(holder)))}`);
    const next = await eventually("floating IP moved", 10_000, () => floatingIpHolder(lab, holder), (name) => name !== "");
    assert.notEqual(next, holder);
    t.diagnostic(`master kill: ${JSON.stringify(await whileProbing(apiPort, () => hardKill("master-2")))}`);
    const drift = await lab.pulumi("preview", "--diff", "--non-interactive");
    assert.match(drift.stdout, /stopped/, "a plain preview shows that machines are stopped");
    const mended = await up();
    assert.match(summaryOf(mended.stdout), /updated/);
    assert.doesNotMatch(summaryOf(mended.stdout), /created|replaced|deleted/);
    assert.doesNotMatch(summaryOf((await up()).stdout), /created|updated|replaced|deleted/);
    await eventually("all Ready again", 60_000, () => lab.kubectl("master-1", "get", "nodes", "--no-headers"), ({ stdout }) => stdout.match(/ Ready /g)?.length === 5);
  });

  await t.test("a worker is added, alone", async () => {
    fs.writeFileSync(project.stackFile(stack), fs.readFileSync(project.stackFile(stack), "utf8").replace("workers: { count: 2 }", "workers: { count: 3 }"));
    const started = performance.now();
    const grown = await up();
    t.diagnostic(`add-worker took ${((performance.now() - started) / 1000).toFixed(1)} s`);
    assert.doesNotMatch(summaryOf(grown.stdout), /replaced|deleted/);
    const machines = grown.stdout.split("\n").filter((line) => /groundplane:index:Machine/.test(line) && /creat|updat/.test(line));
    assert.ok(machines.every((line) => line.includes("worker-3")), machines.join("\n"));
    const node = await lab.kubectl("master-1", "get", "node", "worker-3", "--no-headers");
    assert.match(node.stdout, /worker-3\s+Ready/);
  });

  await t.test("a worker is removed: drained and gone from the cluster", async () => {
    fs.writeFileSync(project.stackFile(stack), fs.readFileSync(project.stackFile(stack), "utf8").replace("workers: { count: 3 }", "workers: { count: 2 }"));
    const shrunk = await up();
    assert.match(summaryOf(shrunk.stdout), /deleted/);
    assert.equal((await lab.kubectl("master-1", "get", "node", "worker-3")).exitCode, 1);
    assert.equal(await driver.inspectMachine({ stack, name: "worker-3" }), undefined);
  });

  await t.test("no secret lies in the clear", async () => {
    assert.deepEqual(occurrencesOfSecrets(secrets, { transcript: lab.transcript, commandLines: commandLines.seen(), data: project.data }), []);
  });

  await t.test("destroy leaves nothing but what is kept on purpose", async () => {
    const started = performance.now();
    mustSucceed("groundplane destroy", await lab.groundplane("destroy", "--yes"));
    t.diagnostic(`destroy took ${((performance.now() - started) / 1000).toFixed(1)} s`);
    const kept = /^new files: (state|pulumi|disks|passphrase|pulumi-passphrase)/;
    assert.deepEqual(compareListings(untouched, listHost(project.data)).filter((line) => !kept.test(line)), []);
  });

  await t.test("up again on the kept data disks", async () => {
    await up();
    const pods = mustSucceed("get pods", await lab.kubectl("master-3", "get", "nodes", "--no-headers")).stdout;
    assert.equal(pods.match(/ Ready /g)?.length, 5);
  });

  async function hardKill(name: string): Promise<void> {
    assert.ok(driver.hardKill);
    await driver.hardKill.hardKill({ stack, name });
  }
});

const etcdctl = (command: string): string =>
  `ETCDCTL_API=3 etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key ${command}`;

/** The balancer that has the floating IP on its interface, `except` left out; empty when nobody has it. */
async function floatingIpHolder(lab: ClusterUnderTest, except = ""): Promise<string> {
  const holders: string[] = [];
  for (const name of ["balancer-1", "balancer-2"].filter((balancer) => balancer !== except)) {
    const shown = await lab.onNode(name, "ip -4 -brief addr show dev dmz");
    if (/\.10\//.test(shown.stdout)) holders.push(name);
  }
  assert.ok(holders.length <= 1, `the floating IP is held by ${holders.join(" and ")}`);
  return holders[0] ?? "";
}

async function whileProbing(apiPort: number, fault: () => Promise<void>) {
  const probe = probeApi(`https://127.0.0.1:${apiPort}/readyz`, 20);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await fault();
  await new Promise((resolve) => setTimeout(resolve, 8000));
  const seen = await probe.stop();
  assert.ok(seen.probes - seen.failed > 100, "the API answered most of the time");
  return seen;
}
