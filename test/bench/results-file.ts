import * as fs from "node:fs";
import type { BenchResult } from "./bench";

/** Replaces the rows that were measured now and keeps the others, each with the commit that it was measured at. */
export function writeResults(file: string, measured: readonly BenchResult[], order: readonly string[]): void {
  const before = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, "utf8")) as readonly BenchResult[]) : [];
  fs.writeFileSync(file, `${JSON.stringify(mergeResults(before, measured, order), null, 2)}\n`);
}

/** Sorted like `order`. A row that no bench measures any more is dropped. */
export function mergeResults(
  before: readonly BenchResult[],
  measured: readonly BenchResult[],
  order: readonly string[],
): readonly BenchResult[] {
  const rows = new Map([...before, ...measured].map((result) => [result.name, result]));
  return order.flatMap((name) => rows.get(name) ?? []);
}
