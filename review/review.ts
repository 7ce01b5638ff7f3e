import type { Role } from "../stacks/plan/data-center-plan";

/** What a change means for every node, in order of the plan. */

export type Action = "create" | "replace" | "remove" | "restart" | "update" | "later";
export type Risk = "none" | "low" | "medium" | "high";

/** What happens to one node, found by comparing plans or told by Pulumi. */
export interface NodeChange {
  readonly node: string;
  readonly role: Role;
  /**
   * `restart`: the machine stops and starts with its disk; `update`: something changes while it runs; `later`: only
   * what its successor is told at first boot.
   */
  readonly action: Action;
  /** Settings that differ, e.g. `memoryMiB: 512 -> 1024`. */
  readonly reasons: readonly string[];
  readonly files: readonly FileChange[];
}

/** A file that differs; `undefined` = absent. Never holds a secret. */
export interface FileChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Shell command that makes the node use it; empty = none needed, or none given. */
  readonly reload: string;
}

/**
 * The review for machines, as `--json` writes it. `format` changes when a field goes or means something else; new
 * fields may come without that.
 */
export interface Review {
  readonly format: 1;
  readonly stack: string;
  /** What the change is compared with, for people. */
  readonly comparedWith: string;
  readonly risk: Risk;
  /** Why the change cannot be applied, each with what to do instead; empty = it can. */
  readonly refused: readonly string[];
  /** Only nodes that change. */
  readonly nodes: readonly NodeReview[];
  readonly unchangedNodes: number;
}

export interface NodeReview {
  readonly node: string;
  readonly role: Role;
  readonly action: Action;
  readonly reasons: readonly string[];
  readonly files: readonly { readonly path: string; readonly diff: string }[];
  /** Commands that run in the node, in order. */
  readonly reloads: readonly string[];
  readonly interruption: Interruption;
  readonly risk: Risk;
  readonly riskReason: string;
}

export interface Interruption {
  /** What is away, for people; `nothing` when nothing is. */
  readonly what: string;
  /** Longest gap in milliseconds in the measurements; absent = not measured. */
  readonly longestMs?: number;
  /** Where the number comes from: a fault of `groundplane verify`, or a row of `npm run bench`. */
  readonly measuredBy?: string;
}
