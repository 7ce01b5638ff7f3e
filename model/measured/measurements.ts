import type { MeasuredAt, VerifyReport } from "../contract-report";
import bench from "./bench.json";
import keepalived from "./contract-keepalived.json";
import pacemaker from "./contract-pacemaker.json";
import saturation from "./contract-saturation.json";
import lab from "./topology-lab.json";
import labCrashes from "./topology-lab-crashes.json";
import labRest from "./topology-lab-rest.json";
import nginx from "./topology-nginx.json";
import pair from "./topology-pair.json";
import production from "./topology-production.json";
import services from "./topology-services.json";

/** Written by `npx groundplane verify --json` on the machine that the documents' figures come from. */
export const recordedContract = [pacemaker, keepalived, saturation] as readonly VerifyReport[];

/** The reports of a topology. The last one with a figure counts. */
export interface RecordedTopology {
  readonly title: string;
  readonly reports: readonly VerifyReport[];
}

/** As written by the same command, to compare topologies. */
export const recordedTopologies = [
  { title: "lab", reports: [lab, labRest, labCrashes] },
  { title: "lab, nginx", reports: [nginx] },
  { title: "lab, services", reports: [services] },
  { title: "production", reports: [production] },
  { title: "pair", reports: [pair] },
] as readonly RecordedTopology[];

/** Written by `npm run bench -- --json` on the same machine. */
export const recordedBench = bench;

/** Splits figures into those of the commit that was measured last, which a table may show together, and all others. */
export function splitByCommit<Figure extends MeasuredAt>(
  figures: readonly Figure[],
): { readonly latest: readonly Figure[]; readonly older: readonly Figure[] } {
  const [last] = [...figures].sort((one, other) => other.date.localeCompare(one.date));
  return {
    latest: figures.filter(({ commit }) => commit === last?.commit),
    older: figures.filter(({ commit }) => commit !== last?.commit),
  };
}

/** Figures in groups of one commit each, of which the one that was measured last comes first. */
export function groupedByCommit<Figure extends MeasuredAt>(figures: readonly Figure[]): readonly (readonly Figure[])[] {
  if (figures.length === 0) return [];
  const { latest, older } = splitByCommit(figures);
  return [latest, ...groupedByCommit(older)];
}

/** e.g. ``commit `697338e`, 2026-11-28, load per core 0.1`` */
export function describeOrigin(figures: readonly MeasuredAt[]): string {
  const [first] = figures;
  const loads = figures.flatMap(({ load }) => load ?? []);
  const [least, most] = [Math.min(...loads), Math.max(...loads)];
  const load = loads.length === 0 ? "not recorded" : least === most ? `${least}` : `${least} to ${most}`;
  return `commit \`${shortCommit(first?.commit)}\`, ${first?.date.slice(0, 10)}, load per core ${load}`;
}

export const shortCommit = (commit: string | undefined): string => commit?.slice(0, 7) ?? "unknown";

export interface Measurement {
  readonly longestMs: number;
  /** A fault of `groundplane verify`, or a row of `npm run bench`. */
  readonly measuredBy: string;
  /** Short id of the commit that was measured. */
  readonly measuredAt: string;
}

/** The maximum of a fault over all reports of the commit that was measured last; empty when it was not measured there. */
export function longestOf(fault: string, measure: string): Measurement | Record<string, never> {
  const [longest] = splitByCommit(recordedContract)
    .latest.flatMap(({ faults, commit }) => faults.flatMap(({ results }) => results.map((one) => ({ ...one, commit }))))
    .filter((one) => one.fault === fault && one.name === measure)
    .sort((one, other) => other.max - one.max);
  return longest === undefined
    ? {}
    : { longestMs: longest.max, measuredBy: fault, measuredAt: shortCommit(longest.commit) };
}

/** The p95 of a bench row in milliseconds, at the commit that it was measured at. */
export function longestOfBench(row: string): Measurement | Record<string, never> {
  const result = recordedBench.find(({ name, unit }) => name === row && unit === "ms");
  return result === undefined ? {} : { longestMs: result.p95, measuredBy: row, measuredAt: shortCommit(result.commit) };
}
