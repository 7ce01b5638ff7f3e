import type { MeasuredAt } from "../../model/contract-report";

/** One measurement; smaller is better. */
export interface Sample {
  readonly value: number;
  /** What the machine itself needs at least, measured in the same run, in the same unit. */
  readonly limit?: number;
}

export interface BenchRow {
  /** e.g. `lab-up`; never renamed, so that results compare over time. */
  readonly name: string;
  readonly unit: "s" | "ms" | "cores" | "MiB" | "calls" | "requests" | "writes";
  /** What is measured, for a reader who knows what the product does. */
  readonly what: string;
  /** What it should be at most. A missed target is shown, and fails nothing. */
  readonly target?: number;
}

/** One pass of a bench, which collects its samples. */
export interface Round {
  /** 1-based. */
  readonly number: number;
  /** Aborted by Ctrl-C: a bench stops at its next step. */
  readonly signal: AbortSignal;
  /** Whether the row was requested; other rows need not be measured. */
  wants(row: string): boolean;
  /** Kept at once: a later failure does not discard it. */
  record(row: string, sample: Sample): void;
  /** Shows a line of what is behind the figures. */
  tell(line: string): void;
  /** The round has no figure for the row, which fails the run. */
  miss(row: string, reason: string): void;
}

/** What a user writes into a stack's file, below `groundplane:dataCenter`. */
export type StackSettings = Readonly<Record<string, unknown>>;

/** One activity that is repeated, and the rows that it yields. */
export interface Bench {
  readonly rows: readonly BenchRow[];
  /** Every configuration that it uses. `npm run check` parses them, so that a new rule does not break a bench unnoticed. */
  readonly configurations: readonly StackSettings[];
  /** Runs only when one of its rows is named, because it takes long. */
  readonly onlyWhenNamed?: boolean;
  /** Why this machine cannot run it; undefined = it can. */
  unavailable?(): Promise<string | undefined>;
  measure(round: Round): Promise<void>;
  /** After the last round, also when one failed or was interrupted. */
  close?(): Promise<void>;
}

export interface BenchResult extends MeasuredAt {
  readonly name: string;
  readonly unit: BenchRow["unit"];
  readonly what: string;
  readonly runs: number;
  readonly median: number;
  readonly p95: number;
  readonly target?: number;
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

export function summarize(
  { name, unit, what, target }: BenchRow,
  samples: readonly Sample[],
  measuredAt: MeasuredAt,
): BenchResult {
  const values = samples.map(({ value }) => value);
  const limits = samples.map(({ limit }) => limit).filter((limit) => limit !== undefined);
  const median = quantile(values, 0.5);
  const limit = limits.length > 0 ? quantile(limits, 0.5) : undefined;
  return {
    ...{ name, unit, what, runs: samples.length },
    ...{ median: rounded(median), p95: rounded(quantile(values, 0.95)) },
    ...(target === undefined ? {} : { target }),
    ...(limit === undefined ? {} : { limit: rounded(limit), ratio: rounded(median / limit) }),
    ...measuredAt,
  };
}

export async function secondsOf(action: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await action();
  return (performance.now() - started) / 1000;
}

/** Four significant digits: more is noise. */
const rounded = (value: number): number => Number(value.toPrecision(4));
