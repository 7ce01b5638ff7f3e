import { setTimeout as sleep } from "node:timers/promises";

/** Waits, and returns early when the signal aborts. */
export const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  sleep(milliseconds, undefined, { signal }).catch(() => undefined);

export interface Pace {
  readonly everyMs: number;
  /** The pause is at least so many times as long as the action takes, so that a slow one never fills the time. */
  readonly times: number;
  /** Gets a function that ends the pause. */
  readonly wake?: (wake: () => void) => void;
}

/** Never longer than this, however long the action took. */
const MOST_MS = 60_000;

/** One time that took longer says nothing about the next: it may be the failure that the action is about to show. */
const REMEMBERED = 5;

/** Repeats an action until the signal aborts. A failed one is repeated like any other. */
export async function repeatPaced({ everyMs, times, wake }: Pace, action: () => Promise<void>, signal: AbortSignal) {
  let took: readonly number[] = [];
  while (!signal.aborted) {
    const began = performance.now();
    await action().catch(() => undefined);
    took = [...took, performance.now() - began].slice(-REMEMBERED);
    const pauseMs = Math.min(MOST_MS, Math.max(everyMs, times * Math.min(...took)));
    const early = new AbortController();
    wake?.(() => early.abort());
    await pause(pauseMs, AbortSignal.any([signal, early.signal]));
  }
}
