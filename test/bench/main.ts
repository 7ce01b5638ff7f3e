import * as fs from "node:fs";
import * as os from "node:os";
import { parseArgs } from "node:util";
import type { BenchResult } from "./bench";
import { benches } from "./benches";
import { writeMarkdownTable } from "./markdown-table";
import { runBench } from "./run-bench";

const known = benches.flatMap(({ rows }) => rows.map(({ name }) => name));
const asked = benches.filter(({ onlyWhenNamed }) => onlyWhenNamed).flatMap(({ rows }) => rows.map(({ name }) => name));

const usage = `npm run bench -- [--only NAME,…] [--rounds N] [--json FILE] [--markdown FILE]

Measures and prints a table. --json writes [{name, unit, what, runs, median, p95, limit?, ratio?}], --markdown fills the part
of a file between <!-- bench:begin --> and <!-- bench:end -->. Ctrl-C ends it and takes down what it made.
Names: ${known.join(", ")}
Only when named: ${asked.join(", ")}`;

interface Order {
  readonly only: readonly string[] | undefined;
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
  const only = values.only?.split(",");
  const unknown = only?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`no bench is called ${unknown.join(", ")}\n\n${usage}`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds must be 1 or more\n\n${usage}`);
  return { only, rounds, json: values.json, markdown: values.markdown };
}

function printTable(results: readonly BenchResult[]): void {
  const header = ["name", "unit", "runs", "median", "p95", "limit", "ratio"] as const;
  const lines = [header, ...results.map((result) => header.map((column) => String(result[column] ?? "")))];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const line of lines) {
    console.log(
      line
        .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  "),
    );
  }
}

/** Load for each core above which others take a good part of the machine. */
const BUSY = 0.5;

/** npm passes on the Ctrl-C that the terminal has sent to everybody: within a second it is the same one. */
const SAME_MS = 1_000;

/** The first Ctrl-C ends the bench in order, a second one at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  let first: number | undefined;
  const interrupt = (signal: NodeJS.Signals): void => {
    first ??= performance.now();
    if (performance.now() - first > SAME_MS) process.exit(130);
    if (!controller.signal.aborted) console.error("taking down what was made; Ctrl-C once more leaves it");
    controller.abort(new Error(`ended by ${signal}`));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
  return controller.signal;
}

async function main(): Promise<void> {
  const { only, rounds, json, markdown } = readOrder();
  const wants = (row: string): boolean => only?.includes(row) ?? true;
  const chosen = benches.filter(
    (bench) => (only || !bench.onlyWhenNamed) && bench.rows.some(({ name }) => wants(name)),
  );
  const signal = interruption();
  const [load = 0] = os.loadavg();
  if (load > BUSY * os.availableParallelism())
    console.error(`this machine is busy, times will be too long: load ${load}`);
  const results: BenchResult[] = [];
  for (const bench of chosen) {
    if (signal.aborted) break;
    const run = await runBench(bench, { rounds, wants, signal, tell: (line) => console.error(line) });
    results.push(...run.results);
    if (run.error !== undefined) fail(run.error);
    // After each bench: an hour of measuring is not lost with the last one.
    if (json !== undefined) fs.writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  }
  printTable(results);
  if (markdown !== undefined) writeMarkdownTable(markdown, results);
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

main().catch(fail);
