/**
 * Each program that forwards to the masters with each that moves the floating IP, on one running pair of balancers: a change leads
 * from one combination to the next, and in each of them the floating IP moves.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, type TestContext, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { createNspawnDriver } from "../../hypervisors/nspawn/driver";
import type { BalancerName } from "../../model/balancers";
import { guestCommand } from "../../model/guest-paths";
import {
  askMeanwhile,
  balancers,
  countsOf,
  floatingIpHolder,
  type LabUnderTest,
  stopClients,
  tellGap,
  up,
} from "../e2e/lab-under-test";
import { ClusterUnderTest, eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";
import { onSignal } from "../support/on-signal";
import { copyProject } from "../support/project-copy";

interface Programs {
  readonly balancer: BalancerName;
  readonly failoverBy: "keepalived" | "pacemaker";
}

/** A change of one program, of the other one, and of both. */
const first: Programs = { balancer: "nginx", failoverBy: "keepalived" };
const last: Programs = { balancer: "nginx", failoverBy: "pacemaker" };
const others: readonly Programs[] = [
  { balancer: "nginx", failoverBy: "pacemaker" },
  { balancer: "haproxy", failoverBy: "pacemaker" },
  { balancer: "haproxy", failoverBy: "keepalived" },
  last,
];

/**
 * The floating IP is away for about as long as after the loss of its holder. On a machine that runs all tests, Corosync may lose its
 * quorum for a moment, and while Pacemaker only watches, the address stays away until the change has ended.
 */
const LONGEST_GAP_MS = 15_000;

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
  await t.test("its floating IP moves", (step) => movesAndServes(lab, first, step));
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
    await t.test(`the floating IP moves with ${name}`, (step) => movesAndServes(lab, programs, step));
  }
  await t.test("nginx reloads while it serves", async (step) => {
    const client = askMeanwhile(lab, 10);
    for (const name of balancers) mustSucceed(name, await cluster.onNode(name, guestCommand("reload-nginx")));
    const seen = await client.stop();
    tellGap(step, "two reloads of nginx", seen);
    assert.ok(seen.longestGapMs <= 1_000, `no response for ${seen.longestGapMs} ms`);
  });
});

/** A planned move and a crash of the program; and only the programs of the configuration run. */
async function movesAndServes(lab: LabUnderTest, { balancer, failoverBy }: Programs, t: TestContext): Promise<void> {
  const on = async (node: string, command: string) => mustSucceed(command, await lab.cluster.onNode(node, command));
  const holder = await floatingIpHolder(lab, balancers);
  const other = balancers.find((name) => name !== holder) ?? "";
  assert.notEqual(holder, "");
  const client = askMeanwhile(lab, 10);
  const [move, restore] = moves[failoverBy];
  await on(holder, move(other));
  const held = () => lab.cluster.onNode(other, "ip -4 -brief address show dev dmz");
  await eventually("the floating IP has moved", patienceMs, held, ({ stdout }) => stdout.includes("192.168.56.10/"));
  await on(holder, restore);
  await on(other, `systemctl kill --signal=KILL ${balancer}`);
  const ready = () => lab.cluster.onNode(other, guestCommand("node-ready"));
  await eventually(`${other} is ready after the crash`, patienceMs, ready, ({ exitCode }) => exitCode === 0);
  const seen = await client.stop();
  tellGap(t, `a planned move and a crash with ${balancer} and ${failoverBy}`, seen);
  assert.ok(seen.longestGapMs <= LONGEST_GAP_MS, `no response for ${seen.longestGapMs} ms`);
  assert.equal(await floatingIpHolder(lab, balancers), other);
  const units = ["haproxy", "nginx", "pacemaker", "keepalived"];
  for (const name of balancers) {
    const active = await lab.cluster.onNode(name, `systemctl is-active ${units.join(" ")}; true`);
    const running = units.filter((_, position) => active.stdout.split("\n")[position] === "active");
    assert.deepEqual(running, [balancer, failoverBy], name);
  }
}

const moves = {
  pacemaker: [
    (other: string) => `crm_resource --resource floating-ip --move --node ${other}`,
    "crm_resource --resource floating-ip --clear",
  ],
  keepalived: [() => "systemctl stop keepalived", "systemctl start keepalived"],
} as const;
