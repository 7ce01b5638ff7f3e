import { nearestWord } from "../../stacks/config/nearest-word";
import type { Bench } from "./bench";

/** The rows of a run: those named, or all that do not take long. Throws `Error` with the nearest names for an unknown one. */
export function chooseRows(benches: readonly Bench[], only: readonly string[] | undefined): readonly string[] {
  const rowsOf = (some: readonly Bench[]) => some.flatMap(({ rows }) => rows.map(({ name }) => name));
  if (only === undefined) return rowsOf(benches.filter(({ onlyWhenNamed }) => !onlyWhenNamed));
  const known = rowsOf(benches);
  const problems = only.filter((name) => !known.includes(name)).map((name) => unknownRow(name, known));
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return [...new Set(only)];
}

function unknownRow(name: string, known: readonly string[]): string {
  const nearest = nearestWord(name, known);
  const similar = known.filter((row) => name !== "" && (row.includes(name) || name.includes(row)));
  const names = [...new Set([...(nearest === undefined ? [] : [nearest]), ...similar])];
  const hint = names.length > 0 ? `did you mean ${names.join(", ")}?` : `the rows are ${known.join(", ")}`;
  return `unknown row ${JSON.stringify(name)}: ${hint}`;
}
