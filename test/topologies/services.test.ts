/** A control plane of systemd services on real machines: how it starts, fails, follows its files, grows and is replaced. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, type TestContext, test } from "node:test";
import { componentNames } from "../../cloud-init/files/kubernetes/control-plane-components";
import { dataFolder } from "../../host/data-folder";
import type { VerifyReport } from "../../model/contract-report";
import { secondsSince } from "../e2e/lab-under-test";
import { ClusterUnderTest, eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";
import { onSignal } from "../support/on-signal";
import { copyProject } from "../support/project-copy";

interface Settings {
  readonly masters: number;
  readonly podSecurity: "baseline" | "restricted";
}

const stackFile = ({ masters, podSecurity }: Settings): string => `config:
  groundplane:dataCenter:
    driver: nspawn
    pools: {balancers: {count: 1}, masters: {count: ${masters}}, workers: {count: 1}}
    options: {controlPlane: services, fastProbes: true, keepDataDisks: false, podSecurity: ${podSecurity}}
`;

/** More than hardened units have, and much less than the 9.6 of a unit without any. */
const MOST_EXPOSED = 2.5;

test("a control plane of services", { skip: nspawnSkipReason(), timeout: 20 * 60_000 }, async (t) => {
  const project = copyProject(dataFolder());
  process.env.GROUNDPLANE_DATA = project.data;
  const cluster = new ClusterUnderTest(project, `svc-${process.pid.toString(36)}`);
  let settings: Settings = { masters: 1, podSecurity: "baseline" };
  const configure = (change: Partial<Settings>): void => {
    settings = { ...settings, ...change };
    const file = project.stackFile(cluster.stack);
    const salt = /^encryptionsalt: .*\n/m.exec(fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "")?.[0] ?? "";
    fs.writeFileSync(file, salt + stackFile(settings));
  };
  let takenDown: Promise<void> | undefined;
  const takeDown = async () => {
    await cluster.interrupt();
    mustSucceed("destroy", await new ClusterUnderTest(project, cluster.stack).groundplane("destroy", "--yes"));
    project.remove();
  };
  const takeDownOnce = () => (takenDown ??= takeDown());
  onSignal(takeDownOnce);
  after(takeDownOnce);

  const up = async (...flags: string[]) =>
    mustSucceed("up", await cluster.pulumi("up", "--yes", "--skip-preview", "--suppress-outputs", ...flags)).stdout;
  const on = async (node: string, script: string) =>
    mustSucceed(script, await cluster.onNode(node, script)).stdout.trim();
  const isHealthy = () =>
    eventually(
      "a healthy stack",
      patienceMs,
      () => cluster.groundplane("status"),
      ({ exitCode }) => exitCode === 0,
    );
  const processOf = async (name: string) => on("master-1", `systemctl show --value --property=MainPID ${name}`);
  const isActive = async (node: string) =>
    eventually(
      `all services of ${node}`,
      patienceMs,
      () => cluster.onNode(node, `systemctl is-active ${componentNames.join(" ")}`),
      ({ exitCode }) => exitCode === 0,
    );
  const restarts = (name: string, former: string) =>
    eventually(
      `another ${name}`,
      patienceMs,
      () => processOf(name),
      (now) => now !== "0" && now !== former,
    );
  const nothingChanges = async () => mustSucceed("preview", await cluster.pulumi("preview", "--expect-no-changes"));

  let broken = false;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) =>
    t.test(name, async (inner) => {
      if (broken) return inner.skip("an earlier step failed");
      broken = true;
      const started = performance.now();
      await run(inner);
      inner.diagnostic(`took ${secondsSince(started)}`);
      broken = false;
    });

  await step("start creates the stack; no container has a part of its control plane", async () => {
    configure({});
    mustSucceed("start", await cluster.groundplane("start", "--yes"));
    await isActive("master-1");
    const users = await on("master-1", `ps -o user:30= -C ${componentNames.join(",")} | sort`);
    assert.deepEqual(users.split(/\s+/), [...componentNames].sort());
    assert.doesNotMatch(
      await on("master-1", "crictl ps --output json | jq -r '.containers[].metadata.name'"),
      /etcd|kube-(api|con|sch)/,
    );
    await isHealthy();
    await nothingChanges();
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
    const file = path.join(project.data, "verify.json");
    const names = componentNames.map((name) => `${name}-crash`).join(",");
    const output = await cluster.groundplane("verify", "--only", names, "--json", file);
    if (!fs.existsSync(file)) mustSucceed("verify", output);
    const { faults } = JSON.parse(fs.readFileSync(file, "utf8")) as VerifyReport;
    for (const { name, results } of faults)
      for (const result of results) inner.diagnostic(`${name} ${result.name}: ${result.max} ${result.unit}`);
    const lost = faults.flatMap(({ results }) => results.filter(({ name }) => name === "lost-writes"));
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
    assert.doesNotMatch(await up(), /index:Machine .*(replaced|updated)/);
    await restarts("kube-apiserver", server);
    assert.equal(await processOf("etcd"), etcd);
    await nothingChanges();
  });

  await step("other masters are refused", async () => {
    configure({ masters: 3 });
    const { exitCode, stdout, stderr } = await cluster.pulumi("preview", "--non-interactive");
    assert.notEqual(exitCode, 0);
    assert.match(
      (stdout + stderr).replaceAll(/\s+/g, " "),
      /must be static-pods unless a single master also runs etcd/,
    );
    configure({ masters: 1 });
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
