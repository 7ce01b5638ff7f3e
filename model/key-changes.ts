import type { Change } from "./change-classes";
import type { GuestCommand } from "./guest-paths";

export interface KeyChange extends Change {
  /** The next step of a refusal, besides keeping the former value; of `creation-only` keys. */
  readonly instead?: string;
  /** Another key that changes this one, so that only the other one is reported. */
  readonly follows?: string;
  /** What this change means, where it is not `effect`. */
  readonly effectOf?: (...values: Values) => string | undefined;
  /** Why a refused value is refused, where it is not fixed at creation. */
  readonly rule?: string;
  /** What a smaller number means in addition, which is a risk even while machines run. */
  readonly less?: string;
  /** What refuses a change that cannot be done, other than the record of the configuration: machines, disks, the volume, or the keys. */
  readonly guardedBy?: "members" | "disks" | "keys";
  /** Name of the value in the files of nodes, where a stack of an earlier version has it only there. */
  readonly inFiles?: string;
  /** The value of a stack that has none. */
  readonly formerly?: string;
  /** The command of a node that applies the change. It gets the values of all such keys by their names in files. */
  readonly appliedBy?: GuestCommand;
  /** Nodes with different values do not work together: in between, one need not be ready. */
  readonly isShared?: true;
  /** The order of the list's entries has no meaning. */
  readonly isSet?: true;
  /** Changes that differ from the others; the first that holds decides. */
  readonly cases?: readonly ChangeCase[];
}

/** A change of a key whose class depends on its values. */
export interface ChangeCase extends Change, Pick<KeyChange, "instead" | "guardedBy" | "rule" | "effectOf"> {
  /** For documents. */
  readonly when: string;
  /** @param at another value of the same entry, by its last key, before and after */
  readonly holds: (before: string | undefined, after: string | undefined, at: (key: string) => Values) => boolean;
}

/** `undefined`: without effect, e.g. a key of a pool without machines. */
export type Values = readonly [before: string | undefined, after: string | undefined];

const startOver = "start over: `npx groundplane destroy` keeps the data disks";
export const newStack = "create another stack with it";

export const fixed = (effect: string, instead = startOver): KeyChange => ({ class: "creation-only", effect, instead });
export const live = (effect: string): KeyChange => ({ class: "live", effect });

/** With or without machines of a pool. */
export const beginsOrEnds = {
  when: "to or from 0",
  holds: (before: string | undefined, after: string | undefined) => before === undefined || after === undefined,
} as const;
export const valueIs = <Value extends string>(value: Value) =>
  ({
    when: `\`${value}\`` as const,
    holds: (before: string | undefined, after: string | undefined) => before === value || after === value,
  }) as const;
export const smaller = {
  when: "smaller",
  holds: (before: string | undefined, after: string | undefined) => Number(after) < Number(before),
} as const;

export const isSame = ([before, after]: Values): boolean => before === after;
