import * as os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** Machines that start after a fault need less; a host that others keep busy never rests. */
const PATIENCE_MS = 30_000;
const WINDOW_MS = 1_000;
/** Of all processors. */
const RESTING_SHARE = 0.6;

export interface ProcessorTimes {
  readonly busyMs: number;
  readonly idleMs: number;
}

/**
 * Returns when the host's processors have something to spare, or after half a minute: what is measured is a fault, and not
 * the start of the machine that was killed before.
 */
export async function untilHostRests(signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  let before = processorTimes();
  while (performance.now() < deadline) {
    await sleep(WINDOW_MS, undefined, { signal });
    const after = processorTimes();
    if (busyShare(before, after) < RESTING_SHARE) return;
    before = after;
  }
}

/** 0 = all processors idle, 1 = all busy. */
export function busyShare(before: ProcessorTimes, after: ProcessorTimes): number {
  const busy = after.busyMs - before.busyMs;
  const total = busy + after.idleMs - before.idleMs;
  return total === 0 ? 0 : busy / total;
}

function processorTimes(): ProcessorTimes {
  const times = os.cpus().map((cpu) => cpu.times);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
  const idleMs = sum(times.map(({ idle }) => idle));
  return { idleMs, busyMs: sum(times.flatMap((each) => Object.values(each))) - idleMs };
}
