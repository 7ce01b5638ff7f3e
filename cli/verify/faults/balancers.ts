import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import type { Fault, Observation } from "../fault";
import type { Observed } from "../laboratory";
import type { Measure } from "../statistics";

const AFTER_MS = 3_000;

/** Time without an answer when the floating IP moves because its holder is gone, by profile. */
function takeover({ balancing }: DataCenterPlan): number {
  return balancing.tokenMs < 1_000 ? 1_000 : 4_000;
}

export const apiGap = (target: number | undefined): Measure => ({
  name: "api-gap",
  what: "longest time without an answer of the API",
  unit: "ms",
  ...(target === undefined ? {} : { target }),
});

export const lostWrites: Measure = { name: "lost-writes", what: "acknowledged writes lost", unit: "times", target: 0 };

export const seen = ({ apiGap: gap, lostWrites: lost, timeline }: Observed): Observation => ({
  values: { "api-gap": gap, "lost-writes": lost },
  timeline,
});

const needsPair = ({ balancing }: DataCenterPlan): string | undefined =>
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
  measures: () => [apiGap(100), lostWrites],
  impossible: needsPair,
  async run(lab) {
    const holder = await lab.holder();
    const other = lab.names("balancer").find((name) => name !== holder);
    const { ask, restore } = moves[lab.plan.balancing.movedBy === "keepalived" ? "keepalived" : "pacemaker"];
    try {
      return [seen(await lab.watch(holder, async () => void (await lab.must(holder, ask(other ?? ""))), AFTER_MS))];
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

/** Where the floating IP was, as each balancer noted it every few milliseconds by its own clock. */
const noteHolding = (address: string): string => `
mkdir -p /run/groundplane-verify
systemctl stop groundplane-verify-holding 2>/dev/null
systemd-run --quiet --collect --unit=groundplane-verify-holding /bin/bash -c '
  while :; do
    if [ -n "$(ip -4 -oneline address show dev dmz to ${address}/32)" ]; then held=1; else held=0; fi
    echo "$EPOCHREALTIME $held"
    sleep 0.03
  done >/run/groundplane-verify/holding'`;

const readNotes = `systemctl stop groundplane-verify-holding; cat /run/groundplane-verify/holding`;

export const isolation: Fault = {
  name: "isolation",
  what: "the balancer with the floating IP is cut off from everybody, and lives",
  measures: (plan) => [
    apiGap(takeover(plan)),
    {
      name: "held-twice",
      what: "time for which both balancers have the floating IP",
      unit: "ms",
      // By majority there is never more than one; keepalived has none, and doubles it until the cable is back.
      ...(plan.balancing.movedBy === "pacemaker" ? { target: 0 } : {}),
    },
    lostWrites,
  ],
  impossible: needsPair,
  async run(lab) {
    const holder = await lab.holder();
    const balancers = lab.names("balancer");
    await Promise.all(balancers.map((name) => lab.must(name, noteHolding(lab.plan.balancing.floatingIp))));
    const observed = await lab
      .watch(holder, () => lab.setLink(holder, false), AFTER_MS)
      .finally(() => lab.setLink(holder, true));
    await lab.until(`${holder} answers again`, 30_000, async () => (await lab.on(holder, "true", 3_000)).code === 0);
    await lab.pause(2_000);
    const notes = (await Promise.all(balancers.map((name) => lab.must(name, readNotes)))).map(parseNotes);
    if (notes.some((held) => held.length === 0)) throw new Error("the floating IP did not go from one to the other");
    const { values, timeline } = seen(observed);
    return [{ values: { ...values, "held-twice": heldTwice(notes) }, ...(timeline ? { timeline } : {}) }];
  },
};

interface Holding {
  readonly fromMs: number;
  readonly toMs: number;
}

function parseNotes(text: string): readonly Holding[] {
  const notes = text.split("\n").flatMap((line) => {
    const [seconds, held] = line.split(" ");
    return held === undefined ? [] : [{ atMs: Number(seconds) * 1000, held: held === "1" }];
  });
  return notes.slice(1).flatMap(({ atMs, held }, index) => {
    const before = notes[index];
    return held && before?.held ? [{ fromMs: before.atMs, toMs: atMs }] : [];
  });
}

/** Whole ms for which the first and the second held it at once; machines of one host share its clock, or nearly so. */
export function heldTwice([first = [], second = []]: readonly (readonly Holding[])[]): number {
  let total = 0;
  for (const one of first) {
    for (const other of second) {
      total += Math.max(0, Math.min(one.toMs, other.toMs) - Math.max(one.fromMs, other.fromMs));
    }
  }
  return Math.round(total);
}
