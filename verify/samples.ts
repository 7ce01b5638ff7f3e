import type { Sample } from "../model/contract-report";

/** What a client with repeated requests observed. */
export interface ProbeResult {
  /** In the order of their start. */
  readonly samples: readonly Sample[];
  readonly sent: number;
  readonly failed: number;
  /** Longest time in ms between the starts of two consecutive successes, or from the last success to the end. */
  readonly longestGapMs: number;
  /** The number of occurrences of each error. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Enough for a service that hangs for two seconds at a hundred requests per second. */
const MAX_PENDING = 250;

/**
 * Sends a request every `everyMs` until it is stopped, whether or not the previous one has finished. Above the maximum of
 * pending requests it sends none: the service would not respond to them either.
 */
export function probeRepeatedly(
  everyMs: number,
  send: () => Promise<string | undefined>,
): { stop(): Promise<ProbeResult> } {
  const samples: Sample[] = [];
  const pending = new Set<Promise<void>>();
  const timer = setInterval(() => {
    if (pending.size >= MAX_PENDING) return;
    const startedMs = performance.now();
    const running = send()
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

export function summarizeSamples(unordered: readonly Sample[]): ProbeResult {
  const samples = [...unordered].sort((one, other) => one.startedMs - other.startedMs);
  const successes = samples.filter(({ error }) => error === undefined);
  const errors: Record<string, number> = {};
  for (const { error } of samples) if (error !== undefined) errors[error] = (errors[error] ?? 0) + 1;
  // An outage that lasts until the end counts as well.
  let longestGapMs = (samples.at(-1)?.startedMs ?? 0) - (successes.at(-1)?.startedMs ?? samples[0]?.startedMs ?? 0);
  for (const [index, { startedMs }] of successes.slice(1).entries()) {
    longestGapMs = Math.max(longestGapMs, startedMs - (successes[index] as Sample).startedMs);
  }
  return {
    samples,
    sent: samples.length,
    failed: samples.length - successes.length,
    longestGapMs: Math.round(longestGapMs),
    errors,
  };
}
