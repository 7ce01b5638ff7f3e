import { type Bench, type BenchResult, type Sample, summarize } from "./bench";

export interface RunOptions {
  readonly rounds: number;
  readonly wants: (row: string) => boolean;
  readonly signal: AbortSignal;
  /** Called with one line for the person who waits. */
  readonly tell: (line: string) => void;
}

export interface BenchRun {
  readonly results: readonly BenchResult[];
  /** What ended it before its last round, or kept it from being cleaned up. */
  readonly error?: unknown;
}

/** Runs all rounds of one bench. What was measured before an error is kept, and the bench is closed in any case. */
export async function runBench(bench: Bench, options: RunOptions): Promise<BenchRun> {
  const reason = await bench.unavailable?.();
  if (reason !== undefined) {
    options.tell(`${bench.rows.map(({ name }) => name).join(", ")}: skipped, ${reason}`);
    return { results: [] };
  }
  const samples = new Map<string, Sample[]>(bench.rows.map(({ name }) => [name, []]));
  const failures: unknown[] = [];
  try {
    for (let round = 1; round <= options.rounds; round++) await runRound(bench, round, samples, options);
  } catch (error) {
    failures.push(error);
  }
  await bench.close?.().catch((error: unknown) => failures.push(error));
  const results = bench.rows.flatMap((row) => {
    const measured = samples.get(row.name) ?? [];
    return measured.length > 0 && options.wants(row.name) ? [summarize(row, measured)] : [];
  });
  return failures.length > 0 ? { results, error: failures[0] } : { results };
}

async function runRound(
  bench: Bench,
  number: number,
  samples: ReadonlyMap<string, Sample[]>,
  { rounds, wants, signal, tell }: RunOptions,
): Promise<void> {
  signal.throwIfAborted();
  await bench.measure({
    number,
    signal,
    wants,
    record: (row, sample) => {
      const unit = bench.rows.find(({ name }) => name === row)?.unit;
      samples.get(row)?.push(sample);
      tell(`round ${number}/${rounds}: ${row} ${Number(sample.value.toPrecision(4))} ${unit}`);
    },
  });
}
