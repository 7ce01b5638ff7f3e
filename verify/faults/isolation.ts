import type { Measure } from "../../model/contract-report";
import { floatingIpSegment } from "../../model/segments";
import { heldTwiceMs, readMove, recordHoldings } from "../address-holdings";
import type { Fault, Observation } from "../fault";
import { startRecording } from "../guest-recordings";
import type { Laboratory } from "../laboratory";
import { apiGap, lostWrites, needsPair, seen, takeover } from "./balancers";

const CUT_MS = 3_000;
/** Until the members have formed one membership again. */
const AGREED_MS = 2_000;

/** A quorum guarantees a single holder. keepalived has no quorum, so the time with two holders is reported only. */
const measures: Fault["measures"] = (plan): readonly Measure[] => [
  apiGap(takeover(plan)),
  {
    name: "held-twice",
    what: "time in which both balancers hold the floating IP",
    unit: "ms",
    ...(plan.balancing.movedBy === "pacemaker" ? { target: 0 } : {}),
  },
  lostWrites,
];

export const isolation: Fault = {
  name: "isolation",
  what: `the link of the balancer with the floating IP is down for ${CUT_MS / 1_000} s`,
  breaks: () => "holder",
  measures,
  inapplicable: needsPair,
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

/** Drops incoming frames of the dmz that match `frames`, or all frames when it is empty, for the duration of the cut. */
const dropFrames = (frames: string): string => `/bin/bash -c '
  sleep 0.2
  nft "table netdev groundplane-verify {
    chain in { type filter hook ingress device dmz priority -500; ${frames} drop; }
  }"
  sleep ${CUT_MS / 1_000}
  nft delete table netdev groundplane-verify'`;

/**
 * Simulates a failed switch between the balancers: the link stays up. No driver supports that, so the holder's kernel drops
 * all incoming frames, and its neighbours drop the frames of the holder. The holder's outgoing frames are not dropped at the
 * source, because the sender would get an error.
 */
export const partition: Fault = {
  name: "partition",
  what: `the network beyond the link of the balancer with the floating IP fails for ${CUT_MS / 1_000} s`,
  breaks: () => "holder",
  measures,
  inapplicable: needsPair,
  run: (lab) =>
    cutOff(lab, async (holder) => {
      const inDmz = lab.plan.nodes.flatMap(({ name, interfaces }) =>
        interfaces.filter(({ segment }) => segment === floatingIpSegment).map(({ mac }) => ({ name, mac })),
      );
      const mac = inDmz.find(({ name }) => name === holder)?.mac;
      const drop = (name: string): Promise<string> =>
        lab.must(name, startRecording("partition", dropFrames(name === holder ? "" : `ether saddr ${mac}`)));
      await Promise.all(inDmz.map(({ name }) => drop(name)));
      await lab.pause(CUT_MS);
    }),
};

async function cutOff(lab: Laboratory, cut: (holder: string) => Promise<void>): Promise<readonly Observation[]> {
  const holder = await lab.holder();
  const holding = await recordHoldings(lab);
  const observed = await lab.observe(holder, () => cut(holder), AGREED_MS);
  await lab.until(`${holder} responds`, 30_000, async () => (await lab.on(holder, "true", 3_000)).code === 0);
  const holdings = await readMove(holding);
  const { values, timeline } = seen(observed);
  return [{ values: { ...values, "held-twice": heldTwiceMs(holdings) }, timeline }];
}
