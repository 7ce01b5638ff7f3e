import type { FaultReport, VerifyReport } from "./run-verify";
import type { MeasureResult } from "./statistics";

const head = ["fault", "measure", "p50", "p95", "max", "target (p95)", "met"] as const;

/** The contract as a Markdown table, a row for each figure. */
export function renderMarkdown(report: VerifyReport): string {
  const rows = report.faults.flatMap(rowsOf);
  const count = report.rounds === 1 ? "One round" : `${report.rounds} rounds`;
  return [
    `${count} on \`${report.stack}\`, driver ${report.driver}, floating IP by ${report.movedBy}; times in ms.`,
    "",
    `| ${head.join(" | ")} |`,
    "| --- | --- | --: | --: | --: | --: | --- |",
    ...rows.map((cells) => `| ${cells.join(" | ")} |`),
    "",
  ].join("\n");
}

function rowsOf({ name, what, skipped, results }: FaultReport): readonly (readonly string[])[] {
  if (skipped !== undefined) return [[`\`${name}\`: ${what}`, `skipped, ${skipped}`, "", "", "", "", ""]];
  return results.map((result, index) => [index === 0 ? `\`${name}\`: ${what}` : "", result.what, ...figuresOf(result)]);
}

function figuresOf({ p50, p95, max, target, met }: MeasureResult): readonly string[] {
  return [String(p50), String(p95), String(max), target === undefined ? "" : `≤ ${target}`, verdict(met)];
}

const verdict = (met: boolean | undefined): string => (met === undefined ? "" : met ? "yes" : "NO");

/** For a terminal. */
export function renderTable(report: VerifyReport): readonly (readonly string[])[] {
  return [
    head.map((word) => word.toUpperCase()),
    ...report.faults.flatMap(({ name, skipped, results }): (readonly string[])[] =>
      skipped === undefined
        ? results.map((result) => [name, result.name, ...figuresOf(result)])
        : [[name, `skipped, ${skipped}`]],
    ),
  ];
}

/** Without the samples: they are for the drawing. */
export const withoutSamples = (report: VerifyReport): object => ({
  ...report,
  faults: report.faults.map(({ worst: _, ...rest }) => rest),
});
