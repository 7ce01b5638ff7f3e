import * as os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** Machines that start after a fault need less time. Other processes may keep the host busy forever. */
const TIMEOUT_MS = 30_000;
const WINDOW_MS = 1_000;
/** Share of all processors that may be busy. */
const IDLE_SHARE = 0.6;

export interface ProcessorTimes {
  readonly busyMs: number;
  readonly idleMs: number;
}

/**
 * Returns when the host has spare CPU time, or after half a minute, so that the next fault is not measured while machines of
 * the previous fault still boot.
 */
export async function waitForIdleHost(signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  let before = processorTimes();
  while (performance.now() < deadline) {
    await sleep(WINDOW_MS, undefined, { signal });
    const after = processorTimes();
    if (busyShare(before, after) < IDLE_SHARE) return;
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
