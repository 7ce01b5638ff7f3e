import type { Sample } from "../model/contract-report";

/** What a client saw that asked again and again. */
export interface Watched {
  /** In the order in which they were asked. */
  readonly samples: readonly Sample[];
  readonly asked: number;
  readonly failed: number;
  /** Longest time in ms between the starts of two good answers that follow each other, or from the last one to the end. */
  readonly longestGapMs: number;
  /** How often each error was seen. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Enough for a service that hangs for two seconds at a hundred questions a second. */
const MOST_AT_ONCE = 250;

/**
 * Asks every `everyMs` until it is stopped, whether or not the last answer has come. A question that would be one too
 * many at once is left out: it would not be answered either.
 */
export function askRepeatedly(everyMs: number, ask: () => Promise<string | undefined>): { stop(): Promise<Watched> } {
  const samples: Sample[] = [];
  const pending = new Set<Promise<void>>();
  const timer = setInterval(() => {
    if (pending.size >= MOST_AT_ONCE) return;
    const startedMs = performance.now();
    const running = ask()
      .catch((error: Error) => error.message)
      .then((error) => {
        samples.push({ startedMs, error });
        pending.delete(running);
      });
    pending.add(running);
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
      return summarizeSamples(samples);
    },
  };
}

export function summarizeSamples(unordered: readonly Sample[]): Watched {
  const samples = [...unordered].sort((one, other) => one.startedMs - other.startedMs);
  const good = samples.filter(({ error }) => error === undefined);
  const errors: Record<string, number> = {};
  for (const { error } of samples) if (error !== undefined) errors[error] = (errors[error] ?? 0) + 1;
  // An outage that outlasts the watching is one, too.
  let longestGapMs = (samples.at(-1)?.startedMs ?? 0) - (good.at(-1)?.startedMs ?? samples[0]?.startedMs ?? 0);
  for (const [index, { startedMs }] of good.slice(1).entries()) {
    longestGapMs = Math.max(longestGapMs, startedMs - (good[index] as Sample).startedMs);
  }
  return {
    samples,
    asked: samples.length,
    failed: samples.length - good.length,
    longestGapMs: Math.round(longestGapMs),
    errors,
  };
}
