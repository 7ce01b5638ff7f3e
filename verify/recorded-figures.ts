import type { FaultReport, Measure, MeasureResult, VerifyReport } from "../model/contract-report";
import { recordedContract, recordedTopologies } from "../model/measured/measurements";
import { type DataCenterPlan, etcdMachinesOf, witnessOf } from "../stacks/plan/data-center-plan";

/** The recorded stack that is most like this one, without what makes it special. */
function likeness(plan: DataCenterPlan): string {
  if (witnessOf(plan)) return "pair";
  return etcdMachinesOf(plan).length > 0 ? "production" : "lab";
}

/** Names of recorded topologies, the most similar first. */
function titlesFor(plan: DataCenterPlan): readonly string[] {
  const base = likeness(plan);
  const special = [
    ...(plan.balancing.program === "nginx" ? ["nginx"] : []),
    ...(plan.kubernetes.controlPlane === "services" ? ["services"] : []),
  ];
  return [...special.map((each) => `${base}, ${each}`), base, "lab", "lab, nginx"];
}

interface Recorded {
  readonly on: string;
  readonly report: VerifyReport;
}

function reportsFor(plan: DataCenterPlan): readonly Recorded[] {
  const ofWay = recordedContract
    .filter(({ movedBy }) => movedBy === "keepalived" && plan.balancing.movedBy === "keepalived")
    .map((report) => ({ on: "lab with keepalived", report }));
  const ofTitles = titlesFor(plan).flatMap((title) =>
    [
      ...recordedTopologies.filter((topology) => topology.title === title).flatMap(({ reports }) => reports),
      ...(title === "lab" ? recordedContract.filter(({ movedBy }) => movedBy === "pacemaker") : []),
    ]
      .sort((one, other) => other.date.localeCompare(one.date))
      .map((report) => ({ on: title, report })),
  );
  const others = [
    ...recordedContract.map((report) => ({ on: `lab with ${report.movedBy}`, report })),
    ...recordedTopologies.flatMap(({ title, reports }) => reports.map((report) => ({ on: title, report }))),
  ];
  return [...ofWay, ...ofTitles, ...others];
}

const isComplete = ({ failed, results }: FaultReport): boolean => failed === undefined && results.length > 0;

export interface Figures {
  /** e.g. `lab, 3 rounds, commit 903bca5, 2026-11-28` */
  readonly origin: string;
  readonly results: readonly MeasureResult[];
}

/** What was measured of a fault on the recorded stack that is most like this one. */
export function figuresOf(plan: DataCenterPlan, fault: string): Figures | undefined {
  for (const { on, report } of reportsFor(plan)) {
    const found = report.faults.find((each) => each.name === fault && isComplete(each));
    if (!found) continue;
    const { rounds = 0 } = found.results[0] ?? {};
    const commit = report.commit?.slice(0, 7) ?? "unknown";
    const times = rounds === 1 ? "1 round" : `${rounds} rounds`;
    return { origin: `${on}, ${times}, commit ${commit}, ${report.date.slice(0, 10)}`, results: found.results };
  }
  return undefined;
}

/** The figures of a fault as one line: what users notice. */
export function figureLine(plan: DataCenterPlan, fault: string): string | undefined {
  const figures = figuresOf(plan, fault);
  if (!figures) return undefined;
  const noticed = figures.results.filter(({ unit, max }) => unit === "ms" || max > 0);
  const shown = (noticed.length > 0 ? noticed : figures.results).map(
    (each) => `${each.what}: ${amount(each.max, each)}`,
  );
  return `${shown.join("; ")} (${figures.origin})`;
}

/** What is promised of a measure, e.g. `at most 1.00 s` */
export function expectationOf(measure: Measure): string {
  if (measure.target === undefined) return "reported only";
  return measure.target === 0 ? "none" : `at most ${amount(measure.target, measure)}`;
}

/** e.g. `0.85 s`, `52 ms`, `none` */
export function amount(value: number, { unit }: Pick<MeasureResult, "unit">): string {
  if (unit === "times") return value === 0 ? "none" : String(value);
  if (value < 1_000) return `${value} ms`;
  return `${(value / 1_000).toFixed(value < 10_000 ? 2 : 1)} s`;
}
