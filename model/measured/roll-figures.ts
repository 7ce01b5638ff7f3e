import type { Role } from "../roles";
import { outageOfRoll } from "../roll-outages";
import { type Measurement, recordedBench, shortCommit } from "./measurements";

/** A node whose exchange of the image is measured. */
interface MeasuredRoll {
  /** All of its roles. */
  readonly roles: readonly Role[];
  /** No other node does its work meanwhile: what that interrupts has rows of its own. */
  readonly isAlone?: boolean;
  /** What the gap is that clients notice; absent: none asks it. */
  readonly gaps?: string;
}

/** By the name in its rows. Those that are alone are nodes of the example `small`, the others of `lab`. */
const measuredRolls = {
  balancer: { roles: ["balancer"], gaps: "API gaps" },
  storage: { roles: ["storage"] },
  master: { roles: ["master", "etcd"], gaps: "API gaps" },
  worker: { roles: ["worker"], gaps: "gaps of a Service of two pods" },
  gateway: { roles: ["gateway"], isAlone: true, gaps: "API gaps" },
  "only-balancer": { roles: ["balancer"], isAlone: true, gaps: "API gaps" },
  "only-master": { roles: ["master", "etcd"], isAlone: true, gaps: "API gaps" },
} as const satisfies Readonly<Record<string, MeasuredRoll>>;

export type MeasuredNode = keyof typeof measuredRolls;

export const measuredNodeNames = Object.keys(measuredRolls) as readonly MeasuredNode[];

/** Those of `lab`. */
export const measuredPeers = ["balancer", "storage", "master", "worker"] as const satisfies readonly MeasuredNode[];

/** The rows of `npm run bench` for one of them: how long it takes, and what clients notice. */
export const rollRows = (name: MeasuredNode) => ({ duration: `roll-${name}`, gap: `roll-${name}-gap` }) as const;

/** A node that gets another image. */
export interface RollingNode {
  readonly roles: readonly Role[];
  /** Its roles whose work no other node does meanwhile. */
  readonly alone?: readonly Role[];
  /** Other nodes that get it at the same time. */
  readonly alongside?: readonly string[];
  /** Why no figure is of such a node, see `unlikeMeasured`. */
  readonly unlike?: string | undefined;
}

/** How long a node takes to get another image of the same release, and for how long clients notice it at most. */
export interface RollFigures {
  readonly duration?: RollDuration;
  readonly gap?: Measurement & { readonly of: string };
  /** Why it is not measured; empty: no run has recorded it yet. */
  readonly unmeasured?: string;
}

export interface RollDuration {
  readonly seconds: number;
  readonly measuredBy: string;
  readonly measuredAt: string;
}

type Recorded = Pick<(typeof recordedBench)[number], "name" | "p95" | "median" | "commit">;

/** What `npm run bench` has recorded. */
export type RecordedRolls = readonly Recorded[];

export function figuresOfRoll(node: RollingNode, bench: RecordedRolls = recordedBench): RollFigures {
  const { roles, alone = [], alongside = [], unlike } = node;
  if (unlike !== undefined) return { unmeasured: unlike };
  if (alongside.length > 0) return { unmeasured: "several at a time" };
  const name = measuredNodeNames.find((each) => {
    const { roles: measured, isAlone = false }: MeasuredRoll = measuredRolls[each];
    const isSame = measured.length === roles.length && measured.every((role) => roles.includes(role));
    return isSame && isAlone === alone.length > 0;
  });
  if (name === undefined) return { unmeasured: alone.length > 0 ? "without another such node" : "with these roles" };
  const { gaps, isAlone }: MeasuredRoll = measuredRolls[name];
  return figuresOf({ ...rollRows(name), gaps }, bench, isAlone ? outageOf(roles) : undefined);
}

/** A whole `up` of the example `lab` to the next release. */
export const figuresOfUpgrade = (bench: RecordedRolls = recordedBench): RollFigures =>
  figuresOf({ duration: "upgrade-lab", gap: "upgrade-gap", gaps: "API gaps" }, bench);

/** @param outage instead of a gap that is not recorded */
function figuresOf(
  rows: { readonly duration: string; readonly gap: string; readonly gaps?: string | undefined },
  bench: RecordedRolls,
  outage?: Measurement,
): RollFigures {
  const [duration, gap] = [rows.duration, rows.gap].map((row) => bench.find((one) => one.name === row));
  const recorded = gap && { longestMs: gap.p95, measuredBy: rows.gap, measuredAt: shortCommit(gap.commit) };
  const longest = recorded ?? outage;
  const measured = duration && {
    ...{ seconds: Math.round(duration.median), measuredBy: rows.duration },
    measuredAt: shortCommit(duration.commit),
  };
  return {
    ...(measured === undefined ? { unmeasured: "" } : { duration: measured }),
    ...(longest && rows.gaps !== undefined && { gap: { ...longest, of: rows.gaps } }),
  };
}

/** Of a node with several roles, that of the one that is measured. */
function outageOf(roles: readonly Role[]): Measurement | undefined {
  for (const { longestMs, measuredBy, measuredAt } of roles.map((role) => outageOfRoll(role)))
    if (longestMs !== undefined && measuredBy !== undefined && measuredAt !== undefined)
      return { longestMs, measuredBy, measuredAt };
  return undefined;
}

/** e.g. `about 59 s, with API gaps of at most 372 ms (roll-master at 3d8e605)`, or `not measured (several at a time)`. */
export function describeRoll({ duration, gap, unmeasured = "" }: RollFigures): string {
  const time = duration === undefined ? "time not measured" : `about ${duration.seconds} s`;
  const isSameRun = gap !== undefined && duration?.measuredAt === gap.measuredAt;
  const origins = [
    ...(duration === undefined ? [] : [`${duration.measuredBy} at ${duration.measuredAt}`]),
    ...(gap === undefined || isSameRun ? [] : [`${gap.measuredBy} at ${gap.measuredAt}`]),
  ];
  if (gap === undefined && duration === undefined) return `not measured${unmeasured === "" ? "" : ` (${unmeasured})`}`;
  const gaps = gap === undefined ? "" : `, with ${gap.of} of at most ${gap.longestMs} ms`;
  return `${time}${gaps} (${origins.join(", ")})`;
}

/** The sum of what is measured. Nodes that get an image at the same time are not, so it counts no time twice. */
export function sumOfRolls(all: readonly RollFigures[]) {
  const measured = all.flatMap(({ duration }) => duration ?? []);
  const seconds = measured.reduce((sum, one) => sum + one.seconds, 0);
  return { seconds, unmeasuredNodes: all.length - measured.length } as const;
}

/** e.g. `about 118 s, without 2 of 5 nodes, which are not measured`. */
export function describeTotal(all: readonly RollFigures[]): string {
  const { seconds, unmeasuredNodes: missing } = sumOfRolls(all);
  if (missing === all.length) return "not measured";
  if (missing === 0) return `about ${seconds} s`;
  const those = missing === 1 ? "which is" : "which are";
  return `about ${seconds} s, without ${missing} of ${all.length} nodes, ${those} not measured`;
}
