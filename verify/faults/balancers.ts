import type { Measure } from "../../model/contract-report";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import type { Fault, Observation } from "../fault";
import { heldByNobody, readMove, watchHolding } from "../holding-notes";
import type { Observed } from "../laboratory";

const AFTER_MS = 3_000;

/** Time without an answer when the floating IP moves because its holder is gone, by profile. */
export function takeover({ balancing }: DataCenterPlan): number {
  return balancing.tokenMs < 1_000 ? 1_000 : 4_000;
}

export const apiGap = (target: number | undefined): Measure => ({
  name: "api-gap",
  what: "longest time without an answer of the API",
  unit: "ms",
  ...(target === undefined ? {} : { target }),
});

export const lostWrites: Measure = { name: "lost-writes", what: "acknowledged writes lost", unit: "times", target: 0 };

export const seen = ({ apiGap: gap, lostWrites: lost, timeline }: Observed): Required<Observation> => ({
  values: { "api-gap": gap, "lost-writes": lost },
  timeline,
});

export const needsPair = ({ balancing }: DataCenterPlan): string | undefined =>
  balancing.movedBy === "nobody" ? "it has one balancer only" : undefined;

export const balancerKill: Fault = {
  name: "balancer-kill",
  what: "the balancer with the floating IP loses its cables, then its power",
  measures: (plan) => [apiGap(takeover(plan)), lostWrites],
  impossible: needsPair,
  async run(lab) {
    const holder = await lab.holder();
    return [seen(await lab.watch(holder, () => lab.kill(holder), AFTER_MS))];
  },
};

export const plannedMove: Fault = {
  name: "planned-move",
  what: "the floating IP is asked to go to the other balancer",
  measures: () => [
    apiGap(100),
    { name: "held-by-nobody", what: "time for which no balancer has the floating IP", unit: "ms" },
    lostWrites,
  ],
  impossible: needsPair,
  async run(lab) {
    const holder = await lab.holder();
    const holding = await watchHolding(lab);
    const other = lab.names("balancer").find((name) => name !== holder);
    const { ask, restore } = moves[lab.plan.balancing.movedBy === "keepalived" ? "keepalived" : "pacemaker"];
    try {
      const observed = await lab.watch(holder, async () => void (await lab.must(holder, ask(other ?? ""))), AFTER_MS);
      const { values, timeline } = seen(observed);
      const unheld = heldByNobody(await readMove(holding));
      return [{ values: { ...values, "held-by-nobody": unheld }, timeline }];
    } finally {
      await lab.must(holder, restore);
    }
  },
};

/** keepalived has no command for it: a holder that ends says so, and the other one takes over at once. */
const moves = {
  pacemaker: {
    ask: (other: string) => `crm_resource --resource floating-ip --move --node ${other}`,
    restore: "crm_resource --resource floating-ip --clear",
  },
  keepalived: { ask: () => "systemctl stop keepalived", restore: "systemctl start keepalived" },
};

export const haproxyCrash: Fault = {
  name: "haproxy-crash",
  what: "HAProxy is killed on the balancer with the floating IP",
  measures: () => [apiGap(500), lostWrites],
  impossible: () => undefined,
  async run(lab) {
    const holder = await lab.holder();
    const crash = async () => void (await lab.must(holder, "systemctl kill --signal=KILL haproxy"));
    return [seen(await lab.watch(holder, crash, AFTER_MS))];
  },
};
