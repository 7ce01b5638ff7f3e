import type { ChangeClass } from "../model/change-classes";
import type { RollFigures } from "../model/measured/roll-figures";
import type { PackageChange } from "../model/package-lock";
import type { Role } from "../model/roles";

/** The effect of a change on every node, in the order of the plan. */

export type Action = "create" | "replace" | "remove" | "restart" | "roll" | "update" | "later";
export type Risk = "none" | "low" | "medium" | "high";

/** The entry of the data centre's own objects in the cluster, which has objects in place of files. */
export const clusterObjectsEntry = "cluster objects";

/** The change of one node, from a comparison of plans or from Pulumi's preview. */
export interface NodeChange {
  readonly node: string;
  readonly roles: readonly Role[];
  /**
   * `restart`: the machine restarts with its disk; `roll`: it restarts with a system disk of another image; `update`: changes on the running machine; `later`: only the seed for the
   * next first boot changes.
   */
  readonly action: Action;
  /** Settings that differ, e.g. `memoryMiB: 512 -> 1024`. */
  readonly reasons: readonly string[];
  readonly files: readonly FileChange[];
  /** Other nodes that get another image at the same time, if it gets one. */
  readonly alongside?: readonly string[];
  /** Why the measured figures of another image are not of such a node, see `unlikeMeasured`. */
  readonly unlike?: string;
  /** The other image has another release of Kubernetes. */
  readonly isUpgrade?: true;
  /** Data disks that are deleted with their data, because `options.keepDataDisks` is false. */
  readonly deletedDisks?: readonly string[];
}

/** A file that differs; `undefined` = absent. Never contains a secret. */
export interface FileChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Shell command that activates it on the node; empty = none. */
  readonly reload: string;
}

/**
 * The machine-readable review that `--json` writes. `format` changes when a field is removed or changes its meaning, not when
 * fields are added.
 */
export interface Review {
  readonly format: 1;
  readonly stack: string;
  /** The base of the comparison, for people. */
  readonly comparedWith: string;
  /** What else has to be known, in complete sentences; absent: nothing. */
  readonly notes?: readonly string[];
  readonly risk: Risk;
  /** Why the change cannot be applied, each with an alternative; empty = it can. */
  readonly refused: readonly string[];
  /** The keys of the configuration that change. */
  readonly settings: readonly SettingReview[];
  /** The nodes that change. */
  readonly nodes: readonly NodeReview[];
  readonly unchangedNodes: number;
  /** The nodes that get another image, as a whole. Absent: none do. */
  readonly roll?: RollReview;
  /** Between the images before and after the change. Absent: none differ, or they are unknown. */
  readonly packages?: readonly PackageChange[];
}

export interface RollReview {
  /** The sum of what is measured: nodes get it one after the other. */
  readonly seconds: number;
  /** The number of nodes whose time is not measured, and not in the sum. */
  readonly unmeasuredNodes: number;
  /** The nodes move to another release of Kubernetes: the figures of such an `up` of the example `lab`. */
  readonly upgrade?: RollFigures;
}

export interface SettingReview {
  /** e.g. `pools.workers.count` */
  readonly key: string;
  /** Absent: the key had no effect, or has none any more. */
  readonly before?: string;
  readonly after?: string;
  readonly class: ChangeClass;
  readonly effect: string;
  readonly risk: Risk;
}

export interface NodeReview {
  readonly node: string;
  /** The primary role; absent where no role is known. */
  readonly role?: Role;
  readonly roles: readonly Role[];
  readonly action: Action;
  readonly reasons: readonly string[];
  readonly files: readonly { readonly path: string; readonly diff: string }[];
  /** Other nodes that get another image at the same time; absent: none. */
  readonly alongside?: readonly string[];
  /** Of a node that gets another image: how long it took, and which gaps clients noticed, when it was measured within a release. */
  readonly figures?: RollFigures;
  /** Commands that run on the node, in order. */
  readonly reloads: readonly string[];
  readonly interruption: Interruption;
  readonly risk: Risk;
  readonly riskReason: string;
}

export interface Interruption {
  /** What is unavailable, for people; `nothing` if nothing is. */
  readonly what: string;
  /** Longest gap in milliseconds in the measurements; absent = not measured. */
  readonly longestMs?: number;
  /** The source of the number: a fault of `groundplane verify`, or a row of `npm run bench`. */
  readonly measuredBy?: string;
  /** Short id of the commit that was measured. */
  readonly measuredAt?: string;
}
