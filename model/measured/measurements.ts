import type { VerifyReport } from "../contract-report";
import bench from "./bench.json";
import keepalived from "./contract-keepalived.json";
import pacemaker from "./contract-pacemaker.json";
import saturation from "./contract-saturation.json";

/** What `npx groundplane verify --json` wrote on the machine that the README's numbers come from. */
export const recordedContract = [pacemaker, keepalived, saturation] as readonly VerifyReport[];

/** What `npm run bench -- --json` wrote there. */
export const recordedBench = bench;

export interface Measurement {
  readonly longestMs: number;
  /** A fault of `groundplane verify`, or a row of `npm run bench`. */
  readonly measuredBy: string;
}

/** The longest that a fault ever took, whatever moves the floating IP; empty when nobody measured it. */
export function longestOf(fault: string, measure: string): Measurement | Record<string, never> {
  const results = recordedContract.flatMap(({ faults }) => faults.flatMap((one) => one.results));
  const values = results.filter((one) => one.fault === fault && one.name === measure).map(({ max }) => max);
  return values.length === 0 ? {} : { longestMs: Math.max(...values), measuredBy: fault };
}

/** The same of a row of the bench in milliseconds. */
export function longestOfBench(row: string): Measurement | Record<string, never> {
  const result = recordedBench.find(({ name, unit }) => name === row && unit === "ms");
  return result === undefined ? {} : { longestMs: result.p95, measuredBy: row };
}
