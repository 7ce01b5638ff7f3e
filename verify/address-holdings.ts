import { removeRecordings, startRecording, stopRecording } from "./guest-recordings";
import type { Laboratory } from "./laboratory";

/** A period in which a balancer held the floating IP, in ms since 1970 by the balancer's clock. */
export interface Holding {
  readonly fromMs: number;
  readonly toMs: number;
}

const name = "holding";

/** Prints the address if it is present, and every addition and removal, with the kernel's timestamps. */
const program = (address: string): string => `/bin/bash -c '
  export TZ=UTC
  ip -4 -oneline address show dev dmz to ${address}/32 | sed "s/^/[$(date +%FT%T.%6N)] /"
  exec ip -tshort -4 -oneline monitor address dev dmz'`;

/** Records on both balancers when they hold the floating IP; `read` returns the periods of each balancer. */
export async function recordHoldings(lab: Laboratory): Promise<{ read(): Promise<readonly (readonly Holding[])[]> }> {
  const balancers = lab.names("balancer");
  const { floatingIp } = lab.plan.balancing;
  await Promise.all(balancers.map((balancer) => lab.must(balancer, startRecording(name, program(floatingIp)))));
  return {
    read: () =>
      Promise.all(
        balancers.map(async (balancer) => {
          const recording = await lab.must(balancer, stopRecording(name));
          await lab.must(balancer, removeRecordings);
          return parseHoldings(recording, floatingIp);
        }),
      ),
  };
}

/** The periods of both balancers in a fault that moves the floating IP; throws `Error` when it did not move. */
export async function readMove(recorder: Awaited<ReturnType<typeof recordHoldings>>) {
  const holdings = await recorder.read();
  if (holdings.some((held) => held.length === 0)) throw new Error("the floating IP did not move to the other balancer");
  return holdings;
}

/** `[2026-11-21T17:03:50.693853] Deleted 2: dmz inet 192.168.56.10/24 …`, or without `Deleted`; the last line is the end of the recording. */
export function parseHoldings(recording: string, address: string): readonly Holding[] {
  const lines = recording.trim().split("\n");
  const holdings: Holding[] = [];
  let fromMs: number | undefined;
  for (const line of lines) {
    const [, time, deleted, held] = /^\[(\S+)\] (Deleted )?\d+: .* inet (\S+)\/\d+ /.exec(line) ?? [];
    if (held !== address) continue;
    const atMs = Date.parse(`${time}Z`);
    if (deleted === undefined) fromMs ??= atMs;
    else if (fromMs !== undefined) {
      holdings.push({ fromMs, toMs: atMs });
      fromMs = undefined;
    }
  }
  if (fromMs !== undefined) holdings.push({ fromMs, toMs: Number.parseFloat(lines.at(-1) ?? "") * 1_000 });
  return holdings;
}

/** Milliseconds in which both balancers held it. Machines of one host share its clock, within a small error. */
export function heldTwiceMs([first = [], second = []]: readonly (readonly Holding[])[]): number {
  let total = 0;
  for (const one of first) {
    for (const other of second) {
      total += Math.max(0, Math.min(one.toMs, other.toMs) - Math.max(one.fromMs, other.fromMs));
    }
  }
  return Math.round(total);
}

/** Milliseconds in which neither balancer held it, between the first and the last period. */
export function unheldMs(holdings: readonly (readonly Holding[])[]): number {
  const all = holdings.flat().sort((one, other) => one.fromMs - other.fromMs);
  let total = 0;
  let untilMs = all[0]?.toMs ?? 0;
  for (const { fromMs, toMs } of all) {
    total += Math.max(0, fromMs - untilMs);
    untilMs = Math.max(untilMs, toMs);
  }
  return Math.round(total);
}
