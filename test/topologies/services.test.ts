/** A control plane of systemd services on real machines: how it starts, fails, follows its files, grows and is replaced. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { type TestContext, test } from "node:test";
import { componentNames } from "../../cloud-init/files/kubernetes/control-plane-components";
import { etcdctl, up } from "../e2e/lab-under-test";
import { smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";
import { verifyStack } from "../support/verify-stack";

interface Settings {
  readonly masters: number;
  readonly etcd: number;
  readonly podSecurity: "baseline" | "restricted";
}

const settingsOf = ({ masters, etcd, podSecurity }: Settings): string => `driver: nspawn
pools: {balancers: {count: 1}, masters: {count: ${masters}}, etcd: {count: ${etcd}}, workers: {count: 1}}
options: {controlPlane: services, fastProbes: true, keepDataDisks: false, podSecurity: ${podSecurity}}
`;

/** More than hardened units have, and much less than the 9.6 of a unit without any. */
const MOST_EXPOSED = 2.5;

function servicesStack(name: string, first: Partial<Settings>) {
  const stack = smallStack(name);
  const { cluster, driver } = stack;
  let settings: Settings = { masters: 1, etcd: 0, podSecurity: "baseline", ...first };
  const configure = (change: Partial<Settings>): void => {
    settings = { ...settings, ...change };
    stack.configure(settingsOf(settings));
  };
  const on = async (node: string, script: string) =>
    mustSucceed(script, await cluster.onNode(node, script)).stdout.trim();
  const isActive = (node: string, names: readonly string[]) =>
    eventually(
      `all services of ${node}`,
      patienceMs,
      () => cluster.onNode(node, `systemctl is-active ${names.join(" ")}`),
      ({ exitCode }) => exitCode === 0,
    );
  const generation = async (machine: string) =>
    (await driver.inspectMachine({ stack: cluster.stack, name: machine }))?.generation;
  /** Voting members by name. */
  const members = async (asked: string): Promise<readonly string[]> =>
    (await on(asked, etcdctl("member list --write-out=simple")))
      .split("\n")
      .flatMap((row) => (row.endsWith(", false") ? [row.split(", ")[2] ?? ""] : []))
      .sort();
  const replace = async (machine: string) => {
    const before = await generation(machine);
    const exported = mustSucceed("export", await cluster.pulumi("stack", "export")).stdout;
    const urn = new RegExp(`"urn": "([^"]*index:Machine::${machine})"`).exec(exported)?.[1];
    assert.ok(urn, `no ${machine} in the state`);
    await up(stack, "--replace", urn);
    assert.notEqual(await generation(machine), before);
  };
  return { ...stack, configure, on, isActive, generation, members, replace };
}

test("a control plane of services", { skip: nspawnSkipReason(), timeout: 20 * 60_000 }, async (t) => {
  const stack = servicesStack("svc", {});
  const { cluster, project, configure, on, isHealthy, isActive, members, generation } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const processOf = async (name: string) => on("master-1", `systemctl show --value --property=MainPID ${name}`);
  const restarts = (name: string, former: string) =>
    eventually(
      `another ${name}`,
      patienceMs,
      () => processOf(name),
      (now) => now !== "0" && now !== former,
    );

  await step("start creates the stack; no container has a part of its control plane", async () => {
    configure({});
    await stack.start();
    await isActive("master-1", componentNames);
    const users = await on("master-1", `ps -o user:30= -C ${componentNames.join(",")} | sort`);
    assert.deepEqual(users.split(/\s+/), [...componentNames].sort());
    assert.doesNotMatch(
      await on("master-1", "crictl ps --output json | jq -r '.containers[].metadata.name'"),
      /etcd|kube-(api|con|sch)/,
    );
    await isHealthy();
    await stack.previewsNoChange();
  });

  await step("the units are hardened", async (inner) => {
    for (const name of componentNames) {
      const report = await on("master-1", `systemd-analyze security --no-pager ${name} | tail -1`);
      const exposure = Number(/: ([\d.]+) /.exec(report)?.[1]);
      inner.diagnostic(`${name}: exposure ${exposure}`);
      assert.ok(exposure <= MOST_EXPOSED, report);
    }
  });

  await step("a killed component comes back", async (inner) => {
    const crashes = componentNames.map((name) => `${name}-crash`);
    const lost = (await verifyStack(cluster, inner, crashes)).filter(({ name }) => name === "lost-writes");
    assert.deepEqual(
      lost.map(({ max }) => max),
      componentNames.map(() => 0),
    );
  });

  await step("a stopped component makes its health row unhealthy", async () => {
    mustSucceed("stop", await cluster.onNode("master-1", "systemctl stop kube-scheduler"));
    const { exitCode, stdout } = await cluster.groundplane("status");
    assert.notEqual(exitCode, 0);
    assert.match(stdout, /kube-scheduler/);
    mustSucceed("start", await cluster.onNode("master-1", "systemctl start kube-scheduler"));
    await isHealthy();
  });

  await step("renewed certificates restart the components that have them", async () => {
    const served = () =>
      on("master-1", "openssl s_client -connect 127.0.0.1:2379 </dev/null 2>/dev/null | openssl x509 -noout -serial");
    const [former, etcd] = [await served(), await processOf("etcd")];
    await on("master-1", "/usr/local/lib/groundplane/renew-certificates all");
    await restarts("etcd", etcd);
    await eventually("the renewed certificate", patienceMs, served, (now) => now !== "" && now !== former);
    await isHealthy();
  });

  await step("a changed file restarts the API server only", async () => {
    const [server, etcd] = [await processOf("kube-apiserver"), await processOf("etcd")];
    configure({ podSecurity: "restricted" });
    assert.doesNotMatch((await up(stack)).stdout, /index:Machine .*(replaced|updated)/);
    await restarts("kube-apiserver", server);
    assert.equal(await processOf("etcd"), etcd);
    await stack.previewsNoChange();
  });

  await step("one up adds two masters, and nothing is recreated", async () => {
    const before = await generation("master-1");
    configure({ masters: 3 });
    await up(stack);
    assert.equal(await generation("master-1"), before);
    const names = ["master-1", "master-2", "master-3"];
    for (const name of names) await isActive(name, componentNames);
    assert.deepEqual(await members("master-1"), names);
    await isHealthy();
    await stack.previewsNoChange();
  });

  await step("a master is replaced, and a killed one costs no write", async (inner) => {
    await stack.replace("master-1");
    assert.deepEqual(await members("master-2"), ["master-1", "master-2", "master-3"]);
    await isHealthy();
    const results = await verifyStack(cluster, inner, ["master-kill"]);
    assert.equal(results.find(({ name }) => name === "lost-writes")?.max, 0);
  });

  await step("the form of the control plane stays", async () => {
    const file = project.stackFile(cluster.stack);
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace("controlPlane: services, ", ""));
    const { exitCode, stdout, stderr } = await cluster.pulumi("preview", "--non-interactive");
    assert.notEqual(exitCode, 0);
    assert.match(
      (stdout + stderr).replaceAll(/\s+/g, " "),
      /options\.controlPlane: services cannot become static-pods/,
    );
    configure({});
  });
});

test("services whose etcd has machines of its own", { skip: nspawnSkipReason(), timeout: 20 * 60_000 }, async (t) => {
  const stack = servicesStack("svcetcd", { etcd: 1 });
  const { configure, on, isHealthy, isActive, members } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const names = ["etcd-1", "etcd-2", "etcd-3"];

  await step("start creates the stack; etcd is a service, and its machine has no kubelet", async () => {
    configure({});
    await stack.start();
    await isActive("etcd-1", ["etcd"]);
    await isActive(
      "master-1",
      componentNames.filter((name) => name !== "etcd"),
    );
    assert.equal(await on("etcd-1", "pgrep -c kubelet || true"), "0");
    await isHealthy();
    await stack.previewsNoChange();
  });

  await step("one up makes three members and a second master, and one is replaced", async () => {
    configure({ etcd: 3, masters: 2 });
    await up(stack);
    assert.deepEqual(await members("etcd-1"), names);
    await isHealthy();
    await stack.replace("etcd-1");
    assert.deepEqual(await members("etcd-2"), names);
    await isHealthy();
    await stack.previewsNoChange();
  });
});
