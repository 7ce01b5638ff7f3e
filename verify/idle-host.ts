import * as os from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** Machines that start after a fault need less time. */
const PATIENCE_MS = 30_000;
const WINDOW_MS = 1_000;
/** Share of all processors that may be busy. */
const IDLE_SHARE = 0.6;

export interface ProcessorTimes {
  readonly busyMs: number;
  readonly idleMs: number;
}

/**
 * What waits before each fault until the host has spare CPU time, so that the next fault is not measured while machines of the
 * previous one still boot. After half a minute without success, other processes keep the host busy, maybe forever: each further wait
 * without success is half as long.
 *
 * @param pause a moment in which the share of busy processors is observed
 */
export function idleHost(read = processorTimes, pause = rest): (signal: AbortSignal) => Promise<void> {
  let patienceMs = PATIENCE_MS;
  return async (signal) => {
    let before = read();
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += WINDOW_MS) {
      await pause(WINDOW_MS, signal);
      const after = read();
      if (busyShare(before, after) < IDLE_SHARE) {
        patienceMs = PATIENCE_MS;
        return;
      }
      before = after;
    }
    patienceMs /= 2;
  };
}

const rest = (milliseconds: number, signal: AbortSignal): Promise<void> => sleep(milliseconds, undefined, { signal });

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
