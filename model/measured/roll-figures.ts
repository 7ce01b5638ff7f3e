import type { Role } from "../roles";
import { type Measurement, recordedBench, shortCommit } from "./measurements";

/** The nodes of the example `lab` whose exchange of the image is measured, by the name of their role, with all of their roles. */
const measuredNodes = {
  balancer: ["balancer"],
  storage: ["storage"],
  master: ["master", "etcd"],
  worker: ["worker"],
} as const satisfies Readonly<Partial<Record<Role, readonly Role[]>>>;

export type MeasuredNode = keyof typeof measuredNodes;

export const measuredNodeNames = Object.keys(measuredNodes) as readonly MeasuredNode[];

/** The rows of `npm run bench` for one of them: how long it takes, and what clients notice. */
export const rollRows = (name: MeasuredNode) => ({ duration: `roll-${name}`, gap: `roll-${name}-gap` }) as const;

/** How long a node takes to get another image, and for how long clients notice it at most. */
export interface RollFigures {
  readonly duration: RollDuration;
  readonly gap: Measurement | Record<string, never>;
}

export interface RollDuration {
  readonly seconds: number;
  readonly measuredBy: string;
  readonly measuredAt: string;
}

type Recorded = Pick<(typeof recordedBench)[number], "name" | "p95" | "median" | "commit">;

/** Undefined for a node with other roles than those that were measured. */
export function figuresOfRoll(
  roles: readonly Role[],
  bench: readonly Recorded[] = recordedBench,
): RollFigures | undefined {
  const isSame = (measured: readonly Role[]): boolean =>
    measured.length === roles.length && measured.every((role) => roles.includes(role));
  const name = measuredNodeNames.find((each) => isSame(measuredNodes[each]));
  if (name === undefined) return undefined;
  const rows = rollRows(name);
  const [duration, gap] = [rows.duration, rows.gap].map((row) => bench.find((one) => one.name === row));
  if (duration === undefined) return undefined;
  return {
    duration: {
      seconds: Math.round(duration.median),
      ...{ measuredBy: rows.duration, measuredAt: shortCommit(duration.commit) },
    },
    gap: gap ? { longestMs: gap.p95, measuredBy: rows.gap, measuredAt: shortCommit(gap.commit) } : {},
  };
}

/** e.g. `about 59 s, with gaps of at most 372 ms (roll-master at 3d8e605)`; empty if nothing was measured. */
export function describeRoll(roles: readonly Role[], bench?: readonly Recorded[]): string {
  const figures = figuresOfRoll(roles, bench);
  if (figures === undefined) return "";
  const { duration, gap } = figures;
  const gaps = gap.longestMs === undefined ? "" : `, with gaps of at most ${gap.longestMs} ms`;
  return `about ${duration.seconds} s${gaps} (${duration.measuredBy} at ${duration.measuredAt})`;
}
