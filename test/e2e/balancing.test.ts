/**
 * Each program that forwards to the masters with each that moves the floating IP, on one running pair of balancers: a change leads
 * from one combination to the next, and in each of them the floating IP moves.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";
import type { BalancerName } from "../../model/balancers";
import type { VerifyReport } from "../../model/contract-report";
import { ClusterUnderTest, mustSucceed } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";
import { onSignal } from "../support/on-signal";
import { copyProject } from "../support/project-copy";
import {
  askMeanwhile,
  balancers,
  countsOf,
  floatingIpHolder,
  type LabUnderTest,
  stopClients,
  tellGap,
  up,
} from "./lab-under-test";

interface Programs {
  readonly balancer: BalancerName;
  readonly failoverBy: "keepalived" | "pacemaker";
}

/** A change of one program, of the other one, and of both. */
const first: Programs = { balancer: "nginx", failoverBy: "keepalived" };
const others: readonly Programs[] = [
  { balancer: "nginx", failoverBy: "pacemaker" },
  { balancer: "haproxy", failoverBy: "pacemaker" },
  { balancer: "haproxy", failoverBy: "keepalived" },
  { balancer: "nginx", failoverBy: "pacemaker" },
];

/** The floating IP is away for about as long as after the loss of its holder, on a machine that runs all tests. */
const LONGEST_GAP_MS = 5_000;

const stackFile = ({ balancer, failoverBy }: Programs): string => `config:
  groundplane:dataCenter:
    driver: nspawn
    pools:
      balancers: {count: 2}
      masters: {count: 1}
      workers: {count: 1}
    options: {fastProbes: true, balancer: ${balancer}, failoverBy: ${failoverBy}}
`;

test("balancers change their programs while they serve", {
  skip: nspawnSkipReason(),
  timeout: 15 * 60_000,
}, async (t) => {
  const project = copyProject(dataFolder());
  process.env.GROUNDPLANE_DATA = project.data;
  const cluster = new ClusterUnderTest(project, `balancing-${process.pid.toString(36)}`);
  let takenDown: Promise<void> | undefined;
  const takeDown = async () => {
    await stopClients();
    await cluster.interrupt();
    mustSucceed("destroy", await new ClusterUnderTest(project, cluster.stack).groundplane("destroy", "--yes"));
    project.remove();
  };
  const takeDownOnce = () => (takenDown ??= takeDown());
  onSignal(takeDownOnce);
  after(takeDownOnce);

  let apiPort = 0;
  const lab: LabUnderTest = {
    cluster,
    driver: createNspawnDriver(localHost),
    apiPort: () => apiPort,
    configure: () => assert.fail("the stack's file has its own settings"),
  };
  const configure = (programs: Programs): void => {
    const file = project.stackFile(cluster.stack);
    const salt = /^encryptionsalt: .*\n/m.exec(fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "")?.[0] ?? "";
    fs.writeFileSync(file, salt + stackFile(programs));
  };

  await t.test("it starts with nginx and keepalived", async () => {
    configure(first);
    mustSucceed("start", await cluster.groundplane("start", "--yes"));
    const { stdout } = mustSucceed("output", await cluster.pulumi("stack", "output", "apiEndpoint"));
    apiPort = Number(new URL(stdout.trim()).port);
  });
  await t.test("its floating IP moves", () => movesAndServes(lab, first));
  for (const programs of others) {
    const name = `${programs.balancer} and ${programs.failoverBy}`;
    await t.test(`one up leads to ${name}`, async (step) => {
      configure(programs);
      const client = askMeanwhile(lab, 10);
      const counts = countsOf(await up(lab));
      const seen = await client.stop();
      tellGap(step, `change to ${name}`, seen);
      assert.doesNotMatch(counts, /created|replaced|deleted/);
      assert.ok(seen.longestGapMs <= LONGEST_GAP_MS, `no response for ${seen.longestGapMs} ms`);
      mustSucceed("no changes", await cluster.pulumi("preview", "--expect-no-changes"));
    });
    await t.test(`the floating IP moves with ${name}`, () => movesAndServes(lab, programs));
  }
});

/** Also after a crash of the program; and only the programs of the configuration run. */
async function movesAndServes(lab: LabUnderTest, { balancer, failoverBy }: Programs): Promise<void> {
  const holder = await floatingIpHolder(lab, balancers);
  assert.notEqual(holder, "");
  const faults = `planned-move,${balancer}-crash`;
  const file = path.join(lab.cluster.project.data, "report.json");
  const { stdout, stderr } = await lab.cluster.groundplane("verify", "--rounds", "1", "--only", faults, "--json", file);
  const report = JSON.parse(fs.readFileSync(file, "utf8")) as VerifyReport;
  assert.equal(report.faults.length, 2, stdout + stderr);
  for (const { name, failed } of report.faults) assert.equal(failed, undefined, name);
  assert.notEqual(await floatingIpHolder(lab, balancers), holder);
  const units = ["haproxy", "nginx", "pacemaker", "keepalived"];
  for (const name of balancers) {
    const active = await lab.cluster.onNode(name, `systemctl is-active ${units.join(" ")}; true`);
    const running = units.filter((_, position) => active.stdout.split("\n")[position] === "active");
    assert.deepEqual(running, [balancer, failoverBy], name);
  }
}
