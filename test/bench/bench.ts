/** One measurement; smaller is better. */
export interface Sample {
  readonly value: number;
  /** What the machine itself needs at least, measured in the same run, in the same unit. */
  readonly limit?: number;
}

export interface BenchRow {
  /** e.g. `lab-up`; the same name for ever, so that results compare over time. */
  readonly name: string;
  readonly unit: "s" | "ms" | "cores" | "MiB" | "calls";
  /** What is measured, for a reader who knows what the product does. */
  readonly what: string;
}

/** One of the times that a bench is done, and where it leaves what it measured. */
export interface Round {
  /** 1-based. */
  readonly number: number;
  /** Aborted by Ctrl-C: a bench stops at its next step. */
  readonly signal: AbortSignal;
  /** Whether anybody asked for the row: what is not wanted need not be measured. */
  wants(row: string): boolean;
  /** Kept at once: what a later step breaks does not take it along. */
  record(row: string, sample: Sample): void;
}

/** One thing that is done again and again, and the rows that come out of it. */
export interface Bench {
  readonly rows: readonly BenchRow[];
  /** Too long for every day: runs only when one of its rows is named. */
  readonly onlyWhenNamed?: boolean;
  /** Why this machine cannot do it; undefined = it can. */
  unavailable?(): Promise<string | undefined>;
  measure(round: Round): Promise<void>;
  /** After the last round, also when one failed or was interrupted. */
  close?(): Promise<void>;
}

export interface BenchResult {
  readonly name: string;
  readonly unit: BenchRow["unit"];
  readonly what: string;
  readonly runs: number;
  readonly median: number;
  readonly p95: number;
  /** Median of the limits. */
  readonly limit?: number;
  /** median / limit */
  readonly ratio?: number;
}

/** The value below which the share of all values lies, by nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("no values to take a quantile of");
  return value;
}

export function summarize({ name, unit, what }: BenchRow, samples: readonly Sample[]): BenchResult {
  const values = samples.map(({ value }) => value);
  const limits = samples.map(({ limit }) => limit).filter((limit) => limit !== undefined);
  const median = quantile(values, 0.5);
  const limit = limits.length > 0 ? quantile(limits, 0.5) : undefined;
  return {
    ...{ name, unit, what, runs: samples.length },
    ...{ median: rounded(median), p95: rounded(quantile(values, 0.95)) },
    ...(limit === undefined ? {} : { limit: rounded(limit), ratio: rounded(median / limit) }),
  };
}

export async function secondsOf(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action();
  return (performance.now() - started) / 1000;
}

/** Four significant digits: more is noise. */
const rounded = (value: number): number => Number(value.toPrecision(4));
