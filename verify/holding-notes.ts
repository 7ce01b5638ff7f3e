import { beginNotes, endNotes, forgetNotes } from "./guest-notes";
import type { Laboratory } from "./laboratory";

/** A stretch of time for which a balancer had the floating IP, in ms since 1970 by its own clock. */
export interface Holding {
  readonly fromMs: number;
  readonly toMs: number;
}

const name = "holding";

/** Notes the address when it is there, and whenever it comes or goes, with the kernel's own times. */
const program = (address: string): string => `/bin/bash -c '
  export TZ=UTC
  ip -4 -oneline address show dev dmz to ${address}/32 | sed "s/^/[$(date +%FT%T.%6N)] /"
  exec ip -tshort -4 -oneline monitor address dev dmz'`;

/** Has both balancers note, by themselves, when they have the floating IP; gives how to read the notes of each. */
export async function watchHolding(lab: Laboratory): Promise<{ read(): Promise<readonly (readonly Holding[])[]> }> {
  const balancers = lab.names("balancer");
  const { floatingIp } = lab.plan.balancing;
  await Promise.all(balancers.map((balancer) => lab.must(balancer, beginNotes(name, program(floatingIp)))));
  return {
    read: () =>
      Promise.all(
        balancers.map(async (balancer) => {
          const notes = await lab.must(balancer, endNotes(name));
          await lab.must(balancer, forgetNotes);
          return parseHoldings(notes, floatingIp);
        }),
      ),
  };
}

/** Both balancers' holdings in a fault that moves the floating IP; throws `Error` when it stayed where it was. */
export async function readMove(holding: Awaited<ReturnType<typeof watchHolding>>) {
  const notes = await holding.read();
  if (notes.some((held) => held.length === 0)) throw new Error("the floating IP did not go from one to the other");
  return notes;
}

/** `[2026-11-21T17:03:50.693853] Deleted 2: dmz inet 192.168.56.10/24 …`, or without `Deleted`; the last line is the end. */
export function parseHoldings(notes: string, address: string): readonly Holding[] {
  const lines = notes.trim().split("\n");
  const holdings: Holding[] = [];
  let fromMs: number | undefined;
  for (const line of lines) {
    const [, moment, deleted, held] = /^\[(\S+)\] (Deleted )?\d+: .* inet (\S+)\/\d+ /.exec(line) ?? [];
    if (held !== address) continue;
    const atMs = Date.parse(`${moment}Z`);
    if (deleted === undefined) fromMs ??= atMs;
    else if (fromMs !== undefined) {
      holdings.push({ fromMs, toMs: atMs });
      fromMs = undefined;
    }
  }
  if (fromMs !== undefined) holdings.push({ fromMs, toMs: Number.parseFloat(lines.at(-1) ?? "") * 1_000 });
  return holdings;
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

/** Whole ms for which neither held it, between the first and the last moment at which one did. */
export function heldByNobody(notes: readonly (readonly Holding[])[]): number {
  const all = notes.flat().sort((one, other) => one.fromMs - other.fromMs);
  let total = 0;
  let untilMs = all[0]?.toMs ?? 0;
  for (const { fromMs, toMs } of all) {
    total += Math.max(0, fromMs - untilMs);
    untilMs = Math.max(untilMs, toMs);
  }
  return Math.round(total);
}
