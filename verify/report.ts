import type { FaultReport, MeasureResult, VerifyReport } from "../model/contract-report";

const head = ["fault", "measure", "p50", "p95", "max", "target (p95)", "met"] as const;

/** The contract as a Markdown table with a row per figure. */
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

function rowsOf({ name, what, skipped, failed, broken, results }: FaultReport): readonly (readonly string[])[] {
  const title = `\`${name}\`: ${what}`;
  if (skipped !== undefined) return [[title, `skipped, ${skipped}`, "", "", "", "", ""]];
  const failure = [failed, broken].flatMap((reason) =>
    reason === undefined ? [] : [[title, `failed, ${reason}`, "", "", "", "", verdict(false)]],
  );
  const figures = results.map((result, index) => [index === 0 ? title : "", result.what, ...figuresOf(result)]);
  return [...failure, ...figures];
}

function figuresOf({ p50, p95, max, target, met }: MeasureResult): readonly string[] {
  return [String(p50), String(p95), String(max), target === undefined ? "" : `≤ ${target}`, verdict(met)];
}

const verdict = (met: boolean | undefined): string => (met === undefined ? "reported only" : met ? "yes" : "NO");

/** For a terminal. */
export function renderTable(report: VerifyReport): readonly (readonly string[])[] {
  return [
    head.map((word) => word.toUpperCase()),
    ...report.faults.flatMap(({ name, skipped, failed, broken, results }): (readonly string[])[] => [
      ...(skipped === undefined ? [] : [[name, `skipped, ${skipped}`]]),
      ...[failed, broken].flatMap((reason) => (reason === undefined ? [] : [[name, `failed, ${reason}`]])),
      ...results.map((result) => [name, result.name, ...figuresOf(result)]),
    ]),
  ];
}

/** Without the samples, which only the timeline needs. */
export const withoutSamples = (report: VerifyReport): object => ({
  ...report,
  faults: report.faults.map(({ worst: _, ...rest }) => rest),
});
