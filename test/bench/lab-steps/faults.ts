import { setTimeout as sleep } from "node:timers/promises";
import { probeApi } from "../../../cli/verify/api-probe";
import type { Watched } from "../../../cli/verify/samples";
import { nodesOf } from "../../../stacks/plan/data-center-plan";
import { eventually, mustSucceed } from "../../support/cluster-under-test";
import type { Round } from "../bench";
import { apiUrl, type LabStep, type LabUnderBench, up } from "../lab-under-bench";

const PROBE_MS = 20;
/** Probes before a fault, as there is no gap without a good one on either side. */
const BEFORE_MS = 2_000;
const AFTER_MS = 8_000;
const MEND_MS = 60_000;

/** The balancer that holds the floating IP loses its cables and its power: the longest time without a good answer. */
export const balancerKill: LabStep = {
  rows: [
    {
      name: "balancer-kill",
      unit: "ms",
      what: "longest gap of the API when the balancer with the floating IP loses cables and power",
    },
  ],
  async run(lab, round) {
    const { holder } = await balancers(lab);
    await killAndMend(lab, round, "balancer-kill", holder);
  },
};

/** The same for a master, another one in each round. */
export const masterKill: LabStep = {
  rows: [{ name: "master-kill", unit: "ms", what: "the same for a master" }],
  async run(lab, round) {
    await killAndMend(lab, round, "master-kill", masterOf(lab, round));
  },
};

/** The floating IP is asked to go to the other balancer. */
export const plannedMove: LabStep = {
  rows: [{ name: "planned-move", unit: "ms", what: "the same when the floating IP is asked to move" }],
  async run(lab, round) {
    const { holder, other } = await balancers(lab);
    const onHolder = async (words: string) =>
      void mustSucceed(words, await lab.stack.cluster.onNode(holder, `crm_resource --resource floating-ip ${words}`));
    const seen = await whileProbing(lab, () => onHolder(`--move --node ${other}`));
    round.record("planned-move", { value: seen.longestGapMs });
    await onHolder("--clear");
  },
};

/** A master is lost with its data and made anew by `up`; the API is asked all the while. */
export const replaceMaster: LabStep = {
  rows: [
    { name: "replace-master", unit: "s", what: "a master lost with its data is made anew" },
    { name: "replace-master-gap", unit: "ms", what: "longest gap of the API meanwhile" },
  ],
  async run(lab, round) {
    const { driver, name: stack } = lab.stack;
    const lost = { stack, name: masterOf(lab, round) };
    const state = await driver.inspectMachine(lost);
    if (state === undefined) throw new Error(`${lost.name} is not there`);
    let value = 0;
    const seen = await whileProbing(lab, async () => {
      await driver.removeMachine(lost, state.owner);
      value = await up(lab.stack);
    });
    round.record("replace-master", { value });
    round.record("replace-master-gap", { value: seen.longestGapMs });
  },
};

async function killAndMend(lab: LabUnderBench, round: Round, row: string, name: string): Promise<void> {
  const { driver, name: stack } = lab.stack;
  const seen = await whileProbing(lab, async () => driver.hardKill?.hardKill({ stack, name }));
  round.record(row, { value: seen.longestGapMs });
  await driver.startMachine({ stack, name });
  await untilReady(lab, name);
}

async function whileProbing({ plan }: LabUnderBench, fault: () => Promise<void>): Promise<Watched> {
  const probe = probeApi(apiUrl(plan), PROBE_MS);
  try {
    await sleep(BEFORE_MS);
    await fault();
    await sleep(AFTER_MS);
  } catch (error) {
    await probe.stop();
    throw error;
  }
  const seen = await probe.stop();
  if (seen.asked - seen.failed < 100) throw new Error(`the API hardly answered: ${JSON.stringify(seen)}`);
  return seen;
}

async function untilReady({ stack }: LabUnderBench, node: string): Promise<void> {
  await eventually(
    `${node} does its work again`,
    MEND_MS,
    () => stack.cluster.onNode(node, "/usr/local/lib/groundplane/node-ready"),
    ({ exitCode }) => exitCode === 0,
  );
}

/** A different one in each round: masters are equal, but leaders are not. */
function masterOf({ plan }: LabUnderBench, { number }: Round): string {
  const masters = nodesOf(plan, "master");
  return masters[number % masters.length]?.name ?? "";
}

async function balancers(lab: LabUnderBench): Promise<{ readonly holder: string; readonly other: string }> {
  const { stack, plan } = lab;
  const shown = await Promise.all(
    nodesOf(plan, "balancer").map(async ({ name }) => {
      const addresses = await stack.cluster.onNode(name, "ip -4 -brief address show dev dmz");
      return { name, holds: addresses.stdout.includes(` ${plan.balancing.floatingIp}/`) };
    }),
  );
  const [holder, other] = [shown.find(({ holds }) => holds)?.name, shown.find(({ holds }) => !holds)?.name];
  if (holder === undefined || other === undefined)
    throw new Error(`not one balancer holds the floating IP: ${JSON.stringify(shown)}`);
  return { holder, other };
}
