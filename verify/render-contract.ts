import type { MeasureResult, VerifyReport } from "../model/contract-report";
import { describeOrigin } from "../model/measured/measurements";

/**
 * Several reports as one Markdown table: a row per figure, a column per implementation of failover, or per title. The last report
 * of a column with a figure counts.
 */
export function renderContract(reports: readonly VerifyReport[], titleOf = wayOf): string {
  const titles = [...new Set(reports.map(titleOf))];
  const figures = reports.flatMap(({ faults }) => faults.flatMap(({ results }) => results));
  const rows = [...new Set(figures.map(({ fault, name }) => `${fault} ${name}`))].map((row) => {
    const of = (report: VerifyReport): readonly MeasureResult[] =>
      report.faults.flatMap(({ results }) => results.filter(({ fault, name }) => `${fault} ${name}` === row));
    const cells = titles.map((title) =>
      reports
        .filter((report) => titleOf(report) === title)
        .flatMap(of)
        .at(-1),
    );
    return rowOf(cells);
  });
  const head = ["fault", "measure", "target", ...titles.map((title) => `${title}: p50 / p95 / max`)];
  const ruler = ["---", "---", ...["target", ...titles].map(() => "--:")];
  const origins = reports.map((report) => originOf(report, titleOf(report)));
  return [...origins, "", ...[head, ruler, ...rows].map((cells) => `| ${cells.join(" | ")} |`), ""].join("\n");
}

/** A report with no more faults is described by their names. */
const FEW = 6;

/** The programs of the balancers, e.g. `pacemaker`, or `pacemaker with nginx`. */
export const wayOf = ({ movedBy, balancer }: VerifyReport): string =>
  balancer === undefined ? movedBy : `${movedBy} with ${balancer}`;

const originOf = (report: VerifyReport, title: string): string => {
  const { rounds, minutes, faults, stack, driver } = report;
  const made = faults.filter(({ results }) => results.length > 0).map(({ name }) => `\`${name}\``);
  const only = made.length <= FEW ? `, ${made.join(", ")} only` : "";
  const lasting = faults.some(({ name }) => name === "saturation") ? `, ${minutes} min` : "";
  const count = rounds === 1 ? "1 round" : `${rounds} rounds`;
  return `- ${title}${only}: ${count}${lasting} on \`${stack}\`, driver ${driver}; ${describeOrigin([report])}.`;
};

function rowOf(results: readonly (MeasureResult | undefined)[]): readonly string[] {
  const [any] = results.filter((result) => result !== undefined);
  if (any === undefined) throw new RangeError("the row has no figure");
  const unit = any.unit === "ms" ? " ms" : "";
  // A measure may have another target on another topology.
  const targets = new Set(results.flatMap((result) => result?.target ?? []));
  const promised = [...targets].map((target) => (target === 0 ? "0" : `≤ ${target}${unit}`)).join(", ");
  return [`\`${any.fault}\``, any.what, promised, ...results.map(figures)];
}

function figures(result: MeasureResult | undefined): string {
  if (result === undefined) return "";
  const { p50, p95, max, met } = result;
  return `${p50} / ${p95} / ${max}${met === false ? " **missed**" : ""}`;
}
