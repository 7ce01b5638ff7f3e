import { type BalancerName, balancerNames, balancers } from "../../model/balancers";
import type { Measure } from "../../model/contract-report";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { readMove, recordHoldings, unheldMs } from "../address-holdings";
import type { Fault, Observation } from "../fault";
import type { Observed } from "../laboratory";

const AFTER_MS = 3_000;

/** The maximum API gap when the holder of the floating IP fails, by failover profile. */
export function takeover({ balancing }: DataCenterPlan): number {
  return balancing.takeoverMs;
}

export const apiGap = (target: number | undefined): Measure => ({
  name: "api-gap",
  what: "longest time without an API response",
  unit: "ms",
  ...(target === undefined ? {} : { target }),
});

export const lostWrites: Measure = { name: "lost-writes", what: "lost acknowledged writes", unit: "times", target: 0 };

export const seen = ({ apiGap: gap, lostWrites: lost, timeline }: Observed): Required<Observation> => ({
  values: { "api-gap": gap, "lost-writes": lost },
  timeline,
});

export const needsPair = ({ balancing }: DataCenterPlan): string | undefined =>
  balancing.movedBy === "static" ? "the stack has only one balancer" : undefined;

export const balancerKill: Fault = {
  name: "balancer-kill",
  what: "the balancer with the floating IP loses its network, then its power",
  breaks: () => "holder",
  measures: (plan) => [apiGap(takeover(plan)), lostWrites],
  inapplicable: needsPair,
  async run(lab) {
    const holder = await lab.holder();
    return [seen(await lab.observe(holder, () => lab.kill(holder), AFTER_MS))];
  },
};

export const plannedMove: Fault = {
  name: "planned-move",
  what: "a planned move of the floating IP to the other balancer",
  breaks: () => "holder",
  measures: () => [
    apiGap(100),
    { name: "unheld", what: "time in which no balancer holds the floating IP", unit: "ms" },
    lostWrites,
  ],
  inapplicable: needsPair,
  async run(lab) {
    const holder = await lab.holder();
    const holding = await recordHoldings(lab);
    const other = lab.names("balancer").find((name) => name !== holder);
    const { move, restore } = moves[lab.plan.balancing.movedBy === "keepalived" ? "keepalived" : "pacemaker"];
    try {
      const observed = await lab.observe(
        holder,
        async () => void (await lab.must(holder, move(other ?? ""))),
        AFTER_MS,
      );
      const { values, timeline } = seen(observed);
      const unheld = unheldMs(await readMove(holding));
      return [{ values: { ...values, unheld }, timeline }];
    } finally {
      await lab.must(holder, restore);
    }
  },
};

/** keepalived has no command for a move: a holder that stops announces it, and the other balancer takes over at once. */
const moves = {
  pacemaker: {
    move: (other: string) => `crm_resource --resource floating-ip --move --node ${other}`,
    restore: "crm_resource --resource floating-ip --clear",
  },
  keepalived: { move: () => "systemctl stop keepalived", restore: "systemctl start keepalived" },
};

const crashOf = (program: BalancerName): Fault => {
  const { title, unit } = balancers[program];
  return {
    name: `${unit}-crash`,
    what: `${title} is killed on the balancer with the floating IP`,
    breaks: () => "holder",
    measures: () => [apiGap(500), lostWrites],
    inapplicable: ({ balancing }) =>
      balancing.program === program ? undefined : `the stack has ${balancers[balancing.program].title} instead`,
    async run(lab) {
      const holder = await lab.holder();
      const crash = async () => void (await lab.must(holder, `systemctl kill --signal=KILL ${unit}`));
      return [seen(await lab.observe(holder, crash, AFTER_MS))];
    },
  };
};

/** One for each program; a stack has one of them. */
export const crashes: readonly Fault[] = balancerNames.map(crashOf);
