import type { Measure } from "../../model/contract-report";
import { floatingIpSegment } from "../../model/segments";
import type { Fault, Observation } from "../fault";
import { beginNotes } from "../guest-notes";
import { heldTwice, readMove, watchHolding } from "../holding-notes";
import type { Laboratory } from "../laboratory";
import { apiGap, lostWrites, needsPair, seen, takeover } from "./balancers";

const CUT_MS = 3_000;
/** Until the two have heard each other again. */
const AGREED_MS = 2_000;

/** By majority there is never more than one holder; keepalived has none, and what that costs is told. */
const measures: Fault["measures"] = (plan): readonly Measure[] => [
  apiGap(takeover(plan)),
  {
    name: "held-twice",
    what: "time for which both balancers have the floating IP",
    unit: "ms",
    ...(plan.balancing.movedBy === "pacemaker" ? { target: 0 } : {}),
  },
  lostWrites,
];

export const isolation: Fault = {
  name: "isolation",
  what: `the balancer with the floating IP has its cable out for ${CUT_MS / 1_000} s, and lives`,
  measures,
  impossible: needsPair,
  run: (lab) =>
    cutOff(lab, async (holder) => {
      try {
        await lab.setLink(holder, false);
        await lab.pause(CUT_MS);
      } finally {
        await lab.setLink(holder, true);
      }
    }),
};

/** Has a guest lose what `frames` matches, all where it is empty, of what comes in from the dmz; ends by itself. */
const loseFrames = (frames: string): string => `/bin/bash -c '
  sleep 0.2
  nft "table netdev groundplane-verify {
    chain in { type filter hook ingress device dmz priority -500; ${frames} drop; }
  }"
  sleep ${CUT_MS / 1_000}
  nft delete table netdev groundplane-verify'`;

/**
 * What it is like when a switch fails between the two: the cable looks well. No driver can do that, so the holder's
 * kernel loses all that it hears, and its neighbours' all that it says. It may go on saying it: a sender whose own frames
 * were dropped would be told of an error.
 */
export const partition: Fault = {
  name: "partition",
  what: `the balancer with the floating IP is cut off for ${CUT_MS / 1_000} s behind its cable, which it cannot see`,
  measures,
  impossible: needsPair,
  run: (lab) =>
    cutOff(lab, async (holder) => {
      const inDmz = lab.plan.nodes.flatMap(({ name, interfaces }) =>
        interfaces.filter(({ segment }) => segment === floatingIpSegment).map(({ mac }) => ({ name, mac })),
      );
      const mac = inDmz.find(({ name }) => name === holder)?.mac;
      const lose = (name: string): Promise<string> =>
        lab.must(name, beginNotes("partition", loseFrames(name === holder ? "" : `ether saddr ${mac}`)));
      await Promise.all(inDmz.map(({ name }) => lose(name)));
      await lab.pause(CUT_MS);
    }),
};

async function cutOff(lab: Laboratory, cut: (holder: string) => Promise<void>): Promise<readonly Observation[]> {
  const holder = await lab.holder();
  const holding = await watchHolding(lab);
  const observed = await lab.watch(holder, () => cut(holder), AGREED_MS);
  await lab.until(`${holder} answers again`, 30_000, async () => (await lab.on(holder, "true", 3_000)).code === 0);
  const notes = await readMove(holding);
  const { values, timeline } = seen(observed);
  return [{ values: { ...values, "held-twice": heldTwice(notes) }, timeline }];
}
