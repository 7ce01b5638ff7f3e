import type { MeasuredAt, VerifyReport } from "../contract-report";
import bench from "./bench.json";
import keepalived from "./contract-keepalived.json";
import pacemaker from "./contract-pacemaker.json";
import saturation from "./contract-saturation.json";

/** Written by `npx groundplane verify --json` on the machine that the README's figures come from. */
export const recordedContract = [pacemaker, keepalived, saturation] as readonly VerifyReport[];

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

/** e.g. ``commit `697338e`, 2026-11-28, load per core 0.1`` */
export function describeOrigin(figures: readonly MeasuredAt[]): string {
  const [first] = figures;
  const loads = figures.flatMap(({ load }) => load ?? []);
  const [least, most] = [Math.min(...loads), Math.max(...loads)];
  const load = loads.length === 0 ? "not recorded" : least === most ? `${least}` : `${least} to ${most}`;
  return `commit \`${first?.commit?.slice(0, 7) ?? "unknown"}\`, ${first?.date.slice(0, 10)}, load per core ${load}`;
}

export interface Measurement {
  readonly longestMs: number;
  /** A fault of `groundplane verify`, or a row of `npm run bench`. */
  readonly measuredBy: string;
}

/** The maximum of a fault over all reports; empty when it was not measured. */
export function longestOf(fault: string, measure: string): Measurement | Record<string, never> {
  const results = recordedContract.flatMap(({ faults }) => faults.flatMap((one) => one.results));
  const values = results.filter((one) => one.fault === fault && one.name === measure).map(({ max }) => max);
  return values.length === 0 ? {} : { longestMs: Math.max(...values), measuredBy: fault };
}

/** The p95 of a bench row in milliseconds. */
export function longestOfBench(row: string): Measurement | Record<string, never> {
  const result = recordedBench.find(({ name, unit }) => name === row && unit === "ms");
  return result === undefined ? {} : { longestMs: result.p95, measuredBy: row };
}
