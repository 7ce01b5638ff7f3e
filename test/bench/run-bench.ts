import type { MeasuredAt } from "../../model/contract-report";
import { type Bench, type BenchResult, type Sample, summarize } from "./bench";

export interface RunOptions {
  readonly rounds: number;
  readonly wants: (row: string) => boolean;
  readonly signal: AbortSignal;
  /** Reports one line of progress. */
  readonly tell: (line: string) => void;
  readonly measuredAt: () => Promise<MeasuredAt>;
}

/** A requested row that has fewer figures than rounds. */
export interface MissingRow {
  readonly name: string;
  readonly reason: string;
}

export interface BenchRun {
  readonly results: readonly BenchResult[];
  readonly missing: readonly MissingRow[];
  /** What ended the bench before its last round, or prevented its clean-up. */
  readonly error?: unknown;
}

/** Runs all rounds of one bench. Figures from before an error are kept, and the bench is closed in any case. */
export async function runBench(bench: Bench, options: RunOptions): Promise<BenchRun> {
  const wanted = bench.rows.filter(({ name }) => options.wants(name));
  const unavailable = await bench.unavailable?.();
  if (unavailable !== undefined) {
    return { results: [], missing: wanted.map(({ name }) => ({ name, reason: unavailable })) };
  }
  const measuredAt = await options.measuredAt();
  const samples = new Map<string, Sample[]>(bench.rows.map(({ name }) => [name, []]));
  const reasons = new Map<string, string>();
  const failures: unknown[] = [];
  try {
    for (let round = 1; round <= options.rounds; round++) await runRound(bench, round, { samples, reasons }, options);
  } catch (error) {
    failures.push(error);
  }
  await bench.close?.().catch((error: unknown) => failures.push(error));
  const measured = (name: string): readonly Sample[] => samples.get(name) ?? [];
  const results = wanted
    .filter(({ name }) => measured(name).length > 0)
    .map((row) => summarize(row, measured(row.name), measuredAt));
  const missing = wanted
    .filter(({ name }) => measured(name).length < options.rounds)
    .map(({ name }) => ({ name, reason: reasons.get(name) ?? reasonOf(failures) }));
  return failures.length > 0 ? { results, missing, error: failures[0] } : { results, missing };
}

/** The first line: the run prints the whole error once. */
const reasonOf = ([failure]: readonly unknown[]): string =>
  failure === undefined
    ? "the bench recorded no figure"
    : ((failure instanceof Error ? failure.message : String(failure)).split("\n")[0] ?? "");

interface Collected {
  readonly samples: ReadonlyMap<string, Sample[]>;
  readonly reasons: Map<string, string>;
}

async function runRound(
  bench: Bench,
  number: number,
  { samples, reasons }: Collected,
  { rounds, wants, signal, tell }: RunOptions,
): Promise<void> {
  signal.throwIfAborted();
  await bench.measure({
    number,
    signal,
    wants,
    tell,
    record: (row, sample) => {
      const unit = bench.rows.find(({ name }) => name === row)?.unit;
      samples.get(row)?.push(sample);
      tell(`round ${number}/${rounds}: ${row} ${Number(sample.value.toPrecision(4))} ${unit}`);
    },
    miss: (row, reason) => {
      reasons.set(row, reason);
      tell(`round ${number}/${rounds}: ${row} has no figure: ${reason}`);
    },
  });
}
