import { longestOfBench, type Measurement } from "./measured/measurements";
import { roles as descriptions, type Role } from "./roles";

/** How long a role's work is interrupted while its only node gets another image. */
interface MeasuredOutage {
  /** The bench row that measures it. */
  readonly row: string;
  /** Until that is recorded: system containers of `small`, on a host with 15 busy processes for each of its two processors. */
  readonly seen: Measurement;
}

const seenBy = { measuredBy: "image-roll-gateway.test.ts", measuredAt: "36684d8" };

/** Roles without an entry are not measured. */
const outages: Readonly<Partial<Record<Role, MeasuredOutage>>> = {
  gateway: { row: "roll-gateway-gap", seen: { longestMs: 5786, ...seenBy } },
  balancer: { row: "roll-only-balancer-gap", seen: { longestMs: 4438, ...seenBy } },
  // With six busy processes for each processor.
  master: {
    row: "roll-only-master-gap",
    seen: { longestMs: 19_591, measuredBy: "image-roll-lone-master.test.ts", measuredAt: "d381746" },
  },
};

/**
 * What is unavailable while the only node with a role gets another image, and for how long, if that is measured.
 *
 * @param unlike why no figure is of such a node
 */
export function outageOfRoll(role: Role, unlike?: string): { readonly what: string } & Partial<Measurement> {
  const outage = unlike === undefined ? outages[role] : undefined;
  const what = `${descriptions[role].loss.ofTheOnly}, until it is back`;
  return { what, ...(outage && { ...outage.seen, ...longestOfBench(outage.row) }) };
}

/** The same as one text. What several roles cause is named once, with the longest figure. */
export function describeOutage(alone: readonly Role[], unlike?: string): string {
  const longest = new Map<string, number>();
  for (const { what, longestMs = 0 } of alone.map((role) => outageOfRoll(role, unlike)))
    longest.set(what, Math.max(longest.get(what) ?? 0, longestMs));
  const texts = [...longest].map(([what, longestMs]) => {
    return longestMs === 0 ? what : `${what} (${Math.ceil(longestMs / 1000)} s when measured)`;
  });
  return texts.join("; ");
}
