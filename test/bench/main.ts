import * as os from "node:os";
import { parseArgs } from "node:util";
import { measuredAt } from "../../verify/measured-at";
import type { BenchResult } from "./bench";
import { benches } from "./benches";
import { chooseRows } from "./choose-rows";
import { writeResults } from "./results-file";
import { renderTextTable, writeMarkdownTable } from "./results-table";
import { type MissingRow, runBench } from "./run-bench";

const known = benches.flatMap(({ rows }) => rows.map(({ name }) => name));
const long = benches.filter(({ onlyWhenNamed }) => onlyWhenNamed).flatMap(({ rows }) => rows.map(({ name }) => name));

const usage = `npm run bench -- [--only NAME,…] [--rounds N] [--json FILE] [--markdown FILE]

Measures and prints a table.
  --only NAME,…   measure these rows only
  --rounds N      repeat each bench N times (default 3)
  --json FILE     write [{name, unit, what, runs, median, p95, limit?, ratio?, commit, date, load}]; rows of the file that are
                  not measured now stay as they are
  --markdown FILE fill the part of a file between <!-- bench:begin --> and <!-- bench:end -->
  --help          print this text

Exit code 1 when a requested row has no figure. Ctrl-C ends the run and removes what it created.
Rows: ${known.join(", ")}
Only when named: ${long.join(", ")}`;

interface Order {
  readonly rows: readonly string[];
  readonly rounds: number;
  readonly json: string | undefined;
  readonly markdown: string | undefined;
}

function readOrder(): Order {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      rounds: { type: "string", default: "3" },
      json: { type: "string" },
      markdown: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds must be a whole number from 1");
  const only = values.only?.split(",").map((name) => name.trim());
  return { rows: chooseRows(benches, only), rounds, json: values.json, markdown: values.markdown };
}

/** Load average per core above which other processes take a good part of the machine. */
const BUSY = 0.5;

/** npm forwards the Ctrl-C that the terminal has sent to the whole process group: within a second it is the same one. */
const SAME_MS = 1_000;

/** The first Ctrl-C ends the bench in order, a second one at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  let first: number | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    first ??= performance.now();
    if (performance.now() - first > SAME_MS) process.exit(130);
    if (!controller.signal.aborted) console.error("removing what was created; press Ctrl-C again to leave it");
    controller.abort(new Error(`ended by ${signal}`));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
  return controller.signal;
}

async function main(): Promise<void> {
  const { rows, rounds, json, markdown } = readOrder();
  const wants = (row: string): boolean => rows.includes(row);
  const signal = interruption();
  const [load = 0] = os.loadavg();
  if (load > BUSY * os.availableParallelism())
    console.error(`the machine is busy, times will be too long: load average ${load}`);
  const results: BenchResult[] = [];
  const missing: MissingRow[] = [];
  for (const bench of benches.filter((one) => one.rows.some(({ name }) => wants(name)))) {
    if (signal.aborted) break;
    const run = await runBench(bench, { rounds, wants, signal, measuredAt, tell: (line) => console.error(line) });
    results.push(...run.results);
    missing.push(...run.missing);
    if (run.error !== undefined) fail(run.error);
    // After each bench, so that a later failure does not discard an hour of measurements.
    if (json !== undefined) writeResults(json, results, known);
  }
  console.log(renderTextTable(results));
  if (markdown !== undefined) writeMarkdownTable(markdown, results);
  for (const { name, reason } of missing) fail(`${name} has no figure: ${reason}`);
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

main().catch(fail);
