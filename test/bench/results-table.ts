import { readFileSync, writeFileSync } from "node:fs";
import { describeOrigin, groupedByCommit } from "../../model/measured/measurements";
import type { BenchResult } from "./bench";

const begin = "<!-- bench:begin -->";
const end = "<!-- bench:end -->";

/** The results as a Markdown table; every number has its unit, so that a row can be read alone. */
export function renderMarkdownTable(results: readonly BenchResult[]): string {
  const rows = results.map(({ name, unit, what, runs, median, p95, target, limit, ratio }) => {
    const measured = (value: number | undefined): string => (value === undefined ? "" : `${value} ${unit}`);
    const subject = target === undefined ? what : `${what}; target: at most ${measured(target)}`;
    return [`\`${name}\``, subject, measured(median), measured(p95), measured(limit), ratio ?? "", runs];
  });
  const header = ["name", "what", "median", "p95", "machine's limit", "ratio", "runs"];
  const ruler = ["---", "---", "--:", "--:", "--:", "--:", "--:"];
  return [header, ruler, ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** The recorded results, in one table for each commit, because figures of different commits are not compared. */
export function renderRecorded(results: readonly BenchResult[]): string {
  return groupedByCommit(results)
    .map((group) => `Measured at ${describeOrigin(group)}.\n\n${renderMarkdownTable(group)}`)
    .join("\n");
}

/** For a terminal: columns with aligned numbers. */
export function renderTextTable(results: readonly BenchResult[]): string {
  const header = ["name", "unit", "runs", "median", "p95", "target", "limit", "ratio"] as const;
  const lines = [header, ...results.map((result) => header.map((column) => String(result[column] ?? "")))];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const align = (cell: string, column: number): string =>
    column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return lines.map((line) => line.map(align).join("  ")).join("\n");
}

/**
 * `text` with the table between the two marks.
 * @throws Error when a mark is missing
 */
export function fillMarkedPart(text: string, table: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the file has no part between ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n${table}${text.slice(to)}`;
}

/** Writes the table into the marked part of a Markdown file. */
export function writeMarkdownTable(file: string, results: readonly BenchResult[]): void {
  writeFileSync(file, fillMarkedPart(readFileSync(file, "utf8"), renderMarkdownTable(results)));
}
