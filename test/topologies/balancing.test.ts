/**
 * Each program that forwards to the masters with each that moves the floating IP, on one running pair of balancers: a change leads
 * from one combination to the next, and in each of them the floating IP moves.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { BalancerName } from "../../model/balancers";
import { guestCommand } from "../../model/guest-paths";
import {
  askMeanwhile,
  balancers,
  countsOf,
  deploy,
  floatingIpHolder,
  type StackUnderTest,
  secondsSince,
  tellGap,
  up,
} from "../e2e/lab-under-test";
import { type SmallStack, smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { freePort } from "../support/host-observations";
import { nspawnSkipReason } from "../support/nspawn-host";
import { clientsDuring, PROBE_MS } from "../support/working-clients";

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

const settings = ({ balancer, failoverBy }: Programs, port: number): string => `driver: nspawn
pools:
  balancers: {count: 2}
  masters: {count: 1}
  workers: {count: 1}
hostPorts: {nodePorts: [{port: ${port}, nodePort: 30080}]}
options: {fastProbes: true, balancer: ${balancer}, failoverBy: ${failoverBy}}
`;

test("balancers change their programs while they serve", {
  skip: nspawnSkipReason(),
  timeout: 20 * 60_000,
}, async (t) => {
  const stack = smallStack("balancing");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);

  const port = await freePort();
  await step("it starts with nginx and keepalived", async () => {
    stack.configure(settings(first, port));
    await stack.start();
    await deploy(stack, "replicated-page.yaml", "page");
  });
  await step("its floating IP moves", (inner) => movesAndServes(stack, first, inner));
  await step("its holder stops, and no request fails", (inner) => stopsUnnoticed(stack, port, inner));
  for (const programs of others) {
    const name = `${programs.balancer} and ${programs.failoverBy}`;
    await step(`one up leads to ${name}`, async (inner) => {
      stack.configure(settings(programs, port));
      const client = await askMeanwhile(stack, 10);
      const counts = countsOf(await up(stack));
      const seen = await client.stop();
      tellGap(inner, `change to ${name}`, seen);
      assert.doesNotMatch(counts, /created|replaced|deleted/);
      assert.ok(seen.longestGapMs <= LONGEST_GAP_MS, `no response for ${seen.longestGapMs} ms`);
      await stack.previewsNoChange();
    });
    await step(`the floating IP moves with ${name}`, (inner) => movesAndServes(stack, programs, inner));
    await step(`the holder stops with ${name}, and no request fails`, (inner) => stopsUnnoticed(stack, port, inner));
  }
  await step("nginx reloads while it serves", async (inner) => {
    const client = await askMeanwhile(stack, 10);
    for (const name of balancers) mustSucceed(name, await cluster.onNode(name, guestCommand("reload-nginx")));
    const seen = await client.stop();
    tellGap(inner, "two reloads of nginx", seen);
    assert.ok(seen.longestGapMs <= 1_000, `no response for ${seen.longestGapMs} ms`);
  });
});

/** A planned move and a crash of the program; and only the programs of the configuration run. */
async function movesAndServes(lab: StackUnderTest, { balancer, failoverBy }: Programs, t: TestContext): Promise<void> {
  const on = async (node: string, command: string) => mustSucceed(command, await lab.cluster.onNode(node, command));
  const holder = await floatingIpHolder(lab, balancers);
  const other = balancers.find((name) => name !== holder) ?? "";
  assert.notEqual(holder, "");
  const client = await askMeanwhile(lab, 10);
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
  // Pacemaker may still restart what runs beside the crashed program.
  const holds = () => floatingIpHolder(lab, balancers);
  await eventually(`${other} holds the floating IP`, patienceMs, holds, (name) => name === other);
  const units = ["haproxy", "nginx", "pacemaker", "keepalived"];
  for (const name of balancers) {
    const active = await lab.cluster.onNode(name, `systemctl is-active ${units.join(" ")}; true`);
    const running = units.filter((_, position) => active.stdout.split("\n")[position] === "active");
    assert.deepEqual(running, [balancer, failoverBy], name);
  }
}

/** More than a machine needs to shut down. */
const STOP_MS = 60_000;

/** The machine with the floating IP stops as by `stop`, a reboot or a roll of images, and starts again. */
async function stopsUnnoticed(lab: SmallStack, pagePort: number, t: TestContext): Promise<void> {
  const { cluster, driver } = lab;
  const holder = await floatingIpHolder(lab, balancers);
  const kubeconfig = mustSucceed("kubeconfig", await cluster.groundplane("kubeconfig")).stdout;
  const machine = { stack: cluster.stack, name: holder };
  const seen = await clientsDuring({ cluster, kubeconfig, pagePort }, async () => {
    const started = performance.now();
    await driver.stopMachine(machine, STOP_MS);
    t.diagnostic(`${holder} stopped in ${secondsSince(started)}`);
    const others = balancers.filter((name) => name !== holder);
    assert.ok(others.includes(await floatingIpHolder(lab, others)), "another balancer holds the floating IP");
    await driver.startMachine(machine);
    const ready = () => cluster.onNode(holder, guestCommand("node-ready"));
    await eventually(`${holder} is ready again`, patienceMs, ready, ({ exitCode }) => exitCode === 0);
  });
  tellGap(t, `requests to the API every ${PROBE_MS} ms`, seen.api);
  tellGap(t, `requests to the Service every ${PROBE_MS} ms`, seen.page);
  tellGap(t, "writes every 100 ms", seen.writes);
  if (seen.failure !== undefined) throw seen.failure;
  assert.deepEqual(seen.writes.lost, []);
  assert.deepEqual([seen.page.errors, seen.api.errors, seen.writes.errors], [{}, {}, {}]);
  await lab.isHealthy();
}

const moves = {
  pacemaker: [
    (other: string) => `crm_resource --resource floating-ip --move --node ${other}`,
    "crm_resource --resource floating-ip --clear",
  ],
  keepalived: [() => "systemctl stop keepalived", "systemctl start keepalived"],
} as const;
