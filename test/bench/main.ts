import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { type Bench, type BenchResult, type Sample, summarize } from "./bench";
import { benches } from "./benches";

const usage = `npm run bench -- [--only NAME,…] [--rounds N] [--json FILE]

Measures and prints a table; the JSON is [{name, unit, runs, median, p95, limit?, ratio?}].
Names: ${benches.flatMap(({ rows }) => rows.map(({ name }) => name)).join(", ")}`;

interface Order {
  readonly only: readonly string[] | undefined;
  readonly rounds: number;
  readonly json: string | undefined;
}

function readOrder(): Order {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      rounds: { type: "string", default: "3" },
      json: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const only = values.only?.split(",");
  const known = benches.flatMap(({ rows }) => rows.map(({ name }) => name));
  const unknown = only?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`no bench is called ${unknown.join(", ")}\n\n${usage}`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds must be 1 or more\n\n${usage}`);
  return { only, rounds, json: values.json };
}

async function runBench(bench: Bench, order: Order): Promise<readonly BenchResult[]> {
  const names = bench.rows.map(({ name }) => name).join(", ");
  const reason = await bench.unavailable?.();
  if (reason !== undefined) {
    console.error(`${names}: skipped, ${reason}`);
    return [];
  }
  const rounds: Readonly<Record<string, Sample>>[] = [];
  try {
    for (let round = 1; round <= order.rounds; round++) {
      const samples = await bench.measure();
      rounds.push(samples);
      const text = bench.rows.map(({ name, unit }) => `${name} ${samples[name]?.value.toFixed(3) ?? "-"} ${unit}`);
      console.error(`round ${round}/${order.rounds}: ${text.join(", ")}`);
    }
  } finally {
    await bench.close?.();
  }
  return bench.rows.map((row) =>
    summarize(
      row,
      rounds.map((samples) => samples[row.name]).filter((sample) => sample !== undefined),
    ),
  );
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

async function main(): Promise<void> {
  const order = readOrder();
  const chosen = benches.filter(({ rows }) => !order.only || rows.some(({ name }) => order.only?.includes(name)));
  const results: BenchResult[] = [];
  for (const bench of chosen) {
    results.push(...(await runBench(bench, order)));
    // After each bench: hours of measuring are not lost with the last one.
    if (order.json !== undefined) fs.writeFileSync(order.json, `${JSON.stringify(results, null, 2)}\n`);
  }
  printTable(results);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
