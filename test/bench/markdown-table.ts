import { readFileSync, writeFileSync } from "node:fs";
import type { BenchResult } from "./bench";

const begin = "<!-- bench:begin -->";
const end = "<!-- bench:end -->";

/** The results as a Markdown table; numbers have their unit, so that a row is read by itself. */
export function renderMarkdownTable(results: readonly BenchResult[]): string {
  const rows = results.map(({ name, unit, what, runs, median, p95, limit, ratio }) => {
    const measured = (value: number | undefined): string => (value === undefined ? "" : `${value} ${unit}`);
    return [`\`${name}\``, what, measured(median), measured(p95), measured(limit), ratio ?? "", runs];
  });
  const header = ["name", "what", "median", "p95", "machine's limit", "ratio", "runs"];
  const ruler = ["---", "---", "--:", "--:", "--:", "--:", "--:"];
  return [header, ruler, ...rows].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/**
 * `text` with the table in place of whatever stood between the two marks.
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
