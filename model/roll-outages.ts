import { longestOfBench, type Measurement } from "./measured/measurements";
import { roles as descriptions, type Role } from "./roles";

/** The bench row that measures how long a role's work is interrupted while its only node gets another image; absent: none does. */
const rows: Readonly<Partial<Record<Role, string>>> = {
  gateway: "roll-gateway-gap",
  balancer: "roll-only-balancer-gap",
};

/** What is unavailable while the only node with a role gets another image, and for how long, if that is measured. */
export function outageOfRoll(role: Role): { readonly what: string } & Partial<Measurement> {
  const row = rows[role];
  const what = `${descriptions[role].loss.ofTheOnly}, until it is back`;
  return { what, ...(row === undefined ? {} : longestOfBench(row)) };
}

/** The same as one text. */
export function describeOutage(alone: readonly Role[]): string {
  return alone
    .map(outageOfRoll)
    .map(({ what, longestMs }) =>
      longestMs === undefined ? what : `${what} (${Math.ceil(longestMs / 1000)} s when measured)`,
    )
    .join("; ");
}
