/**
 * Growth without a rebuild, on small stacks that serve meanwhile: one balancer becomes a pair and one again, and the smallest data
 * centre becomes the largest example in one `up`. No machine that stays is recreated.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  askMeanwhile,
  balancers,
  countsOf,
  floatingIpHolder,
  tellGap,
  up,
  waitForReadyNodes,
} from "../e2e/lab-under-test";
import { type SmallStack, smallStack } from "../e2e/small-stack";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { nspawnSkipReason } from "../support/nspawn-host";

interface Settings {
  readonly balancers: 1 | 2;
  readonly failoverBy?: "keepalived" | "pacemaker";
  /** The other pools; default: as in `small`. */
  readonly others?: keyof typeof pools;
}

/** The numbers of masters, workers and storage machines of the examples, and the smallest ones. */
const pools = { least: [1, 0, 0], small: [1, 1, 0], lab: [3, 2, 3] } as const;

function dataCenter({ balancers: count, failoverBy = "pacemaker", others = "small" }: Settings): string {
  const [masters, workers, storage] = pools[others];
  return `driver: nspawn
pools:
  balancers: {count: ${count}}
  masters: {count: ${masters}}
  workers: {count: ${workers}}
  storage: {count: ${storage}, disks: [{name: brick, sizeGiB: 1}]}
options: {fastProbes: true, keepDataDisks: false, failoverBy: ${failoverBy}}
`;
}

/** The floating IP is away for about as long as after the loss of its holder, and other tests use the processors. */
const LONGEST_GAP_MS = 15_000;
/** Seven machines start meanwhile, and two of them join etcd. */
const LONGEST_GAP_OF_LAB_MS = 30_000;

const small = ["gateway", "balancer-1", "master-1", "worker-1"];

/** One `up` to these settings, with a client that asks the API all the time. Returns Pulumi's counts. */
async function change(
  stack: SmallStack,
  settings: Settings,
  t: TestContext,
  limitMs = LONGEST_GAP_MS,
): Promise<string> {
  stack.configure(dataCenter(settings));
  const before = await generationsOf(stack);
  const client = await askMeanwhile(stack);
  const counts = countsOf(await up(stack));
  // The floating IP may move again when two balancers have found each other.
  await stack.isHealthy();
  const seen = await client.stop();
  tellGap(t, `change to ${JSON.stringify(settings)}`, seen);
  assert.doesNotMatch(counts, /replaced/);
  assert.deepEqual(await generationsOf(stack), before, "no machine that stays is recreated");
  assert.ok(seen.longestGapMs <= limitMs, `no response for ${seen.longestGapMs} ms`);
  await stack.previewsNoChange();
  return counts;
}

/** Of the machines of `small`, as far as they exist. A recreated machine has another one. */
const generationsOf = async ({ driver, cluster }: SmallStack): Promise<readonly (string | undefined)[]> =>
  Promise.all(small.map(async (name) => (await driver.inspectMachine({ stack: cluster.stack, name }))?.generation));

test("a single balancer becomes a pair, and one again, and small becomes lab", {
  skip: nspawnSkipReason(),
  timeout: 25 * 60_000,
}, async (t) => {
  const stack = smallStack("growth");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);
  const on = async (node: string, command: string) => mustSucceed(command, await cluster.onNode(node, command)).stdout;

  await step("it starts with one balancer", async () => {
    stack.configure(dataCenter({ balancers: 1 }));
    await stack.start();
    const generations = await generationsOf(stack);
    assert.equal(new Set(generations).size, small.length, `${generations}`);
  });

  await step("one up adds a second balancer, and the floating IP stays", async (inner) => {
    assert.doesNotMatch(await change(stack, { balancers: 2 }, inner), /deleted/);
    assert.equal(await floatingIpHolder(stack, balancers), "balancer-1");
  });

  await step("the floating IP moves to the new balancer", async () => {
    await on("balancer-1", "crm_resource --resource floating-ip --move --node balancer-2");
    const holder = () => floatingIpHolder(stack, ["balancer-2"]);
    await eventually("the floating IP is on balancer-2", patienceMs, holder, (name) => name !== "");
    await on("balancer-1", "crm_resource --resource floating-ip --clear");
  });

  await step("one up removes the balancer that holds it", async (inner) => {
    assert.doesNotMatch(await change(stack, { balancers: 1 }, inner), /created/);
    assert.equal(await floatingIpHolder(stack, ["balancer-1"]), "balancer-1");
    assert.equal(await stack.driver.inspectMachine({ stack: cluster.stack, name: "balancer-2" }), undefined);
    for (const name of ["gateway", "balancer-1"])
      assert.equal(await on(name, "systemctl is-active corosync pacemaker | sort -u; true"), "inactive\n", name);
  });

  await step("one up leads from small to lab", async (inner) => {
    const counts = await change(stack, { balancers: 2, others: "lab" }, inner, LONGEST_GAP_OF_LAB_MS);
    assert.doesNotMatch(counts, /deleted/);
    await waitForReadyNodes(stack, 5);
    assert.notEqual(await floatingIpHolder(stack, balancers), "");
    await stack.isHealthy();
  });
});

test("a single balancer becomes a pair with keepalived, and one again", {
  skip: nspawnSkipReason(),
  timeout: 15 * 60_000,
}, async (t) => {
  const stack = smallStack("growth-vrrp");
  const { cluster } = stack;
  const step = (name: string, run: (inner: TestContext) => Promise<void>) => stack.step(t, name, run);

  await step("it starts with one balancer", async () => {
    stack.configure(dataCenter({ balancers: 1, others: "least" }));
    await stack.start();
  });

  await step("one up adds a second balancer and keepalived", async (inner) => {
    assert.doesNotMatch(
      await change(stack, { balancers: 2, failoverBy: "keepalived", others: "least" }, inner),
      /deleted/,
    );
    for (const name of balancers) {
      const { stdout } = await cluster.onNode(name, "systemctl is-active keepalived pacemaker; true");
      assert.equal(stdout, "active\ninactive\n", name);
    }
  });

  for (const [holder, other] of [
    ["balancer-1", "balancer-2"],
    ["balancer-2", "balancer-1"],
    ["balancer-1", "balancer-2"],
  ] as const) {
    await step(`the floating IP moves to ${other} when keepalived ends`, async () => {
      mustSucceed("stop", await cluster.onNode(holder, "systemctl stop keepalived"));
      const held = () => floatingIpHolder(stack, [other]);
      await eventually(`${other} holds it`, patienceMs, held, (name) => name !== "");
      mustSucceed("start", await cluster.onNode(holder, "systemctl start keepalived"));
    });
  }

  await step("one up removes the balancer that holds it", async (inner) => {
    await change(stack, { balancers: 1, failoverBy: "keepalived", others: "least" }, inner);
    assert.equal(await floatingIpHolder(stack, ["balancer-1"]), "balancer-1");
    const active = () => cluster.onNode("balancer-1", "systemctl is-active keepalived; true");
    await eventually("keepalived ends", patienceMs, active, ({ stdout }) => stdout === "inactive\n");
    assert.equal(await floatingIpHolder(stack, ["balancer-1"]), "balancer-1");
    await stack.isHealthy();
  });

  await step(
    "one up adds a balancer again, and one up removes it while the first one holds the floating IP",
    async (inner) => {
      await change(stack, { balancers: 2, failoverBy: "keepalived", others: "least" }, inner);
      mustSucceed("stop", await cluster.onNode("balancer-2", "systemctl stop keepalived"));
      const held = () => floatingIpHolder(stack, ["balancer-1"]);
      await eventually("balancer-1 holds it", patienceMs, held, (name) => name !== "");
      mustSucceed("start", await cluster.onNode("balancer-2", "systemctl start keepalived"));
      await change(stack, { balancers: 1, failoverBy: "keepalived", others: "least" }, inner);
    },
  );
});
