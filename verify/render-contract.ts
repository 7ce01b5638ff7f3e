import type { MeasureResult, VerifyReport } from "../model/contract-report";
import { describeOrigin } from "../model/measured/measurements";

/**
 * Several reports as one Markdown table: a row per figure, a column per implementation of failover. The last report with a
 * figure counts.
 */
export function renderContract(reports: readonly VerifyReport[]): string {
  const ways = [...new Set(reports.map(wayOf))];
  const figures = reports.flatMap(({ faults }) => faults.flatMap(({ results }) => results));
  const rows = [...new Set(figures.map(({ fault, name }) => `${fault} ${name}`))].map((row) => {
    const of = (report: VerifyReport): readonly MeasureResult[] =>
      report.faults.flatMap(({ results }) => results.filter(({ fault, name }) => `${fault} ${name}` === row));
    const cells = ways.map((way) =>
      reports
        .filter((report) => wayOf(report) === way)
        .flatMap(of)
        .at(-1),
    );
    return rowOf(cells);
  });
  const head = ["fault", "measure", "target", ...ways.map((way) => `${way}: p50 / p95 / max`)];
  const ruler = ["---", "---", ...["target", ...ways].map(() => "--:")];
  return [...reports.map(sentence), "", ...[head, ruler, ...rows].map((cells) => `| ${cells.join(" | ")} |`), ""].join(
    "\n",
  );
}

/** The programs of the balancers, e.g. `pacemaker`, or `pacemaker with nginx`. */
export const wayOf = ({ movedBy, balancer }: VerifyReport): string =>
  balancer === undefined ? movedBy : `${movedBy} with ${balancer}`;

const sentence = (report: VerifyReport): string => {
  const { rounds, minutes, faults, stack, driver } = report;
  const only = faults.length === 1 ? `, \`${faults[0]?.name}\` only` : "";
  const lasting = faults.some(({ name }) => name === "saturation") ? `, ${minutes} min` : "";
  const count = rounds === 1 ? "1 round" : `${rounds} rounds`;
  return `- ${wayOf(report)}${only}: ${count}${lasting} on \`${stack}\`, driver ${driver}; ${describeOrigin([report])}.`;
};

function rowOf(results: readonly (MeasureResult | undefined)[]): readonly string[] {
  const [any] = results.filter((result) => result !== undefined);
  if (any === undefined) throw new RangeError("the row has no figure");
  const promised = results.find((result) => result?.target !== undefined);
  const unit = any.unit === "ms" ? " ms" : "";
  const target = promised === undefined ? "" : promised.target === 0 ? "0" : `≤ ${promised.target}${unit}`;
  return [`\`${any.fault}\``, any.what, target, ...results.map(figures)];
}

function figures(result: MeasureResult | undefined): string {
  if (result === undefined) return "";
  const { p50, p95, max, met } = result;
  return `${p50} / ${p95} / ${max}${met === false ? " **missed**" : ""}`;
}
