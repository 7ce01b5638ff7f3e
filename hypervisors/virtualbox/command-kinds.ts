import type { ListedVm, Medium, VmInfo } from "./parse-output";

/** The arguments of VBoxManage, without the program's name. */
export type Argv = readonly string[];

/** Reads of VirtualBox's current state. */
export interface Lookups {
  /** Every registered machine. */
  vms(): Promise<readonly ListedVm[]>;
  vm(uuid: string): Promise<VmInfo | undefined>;
  media(): Promise<readonly Medium[]>;
  /** The fields of each object in a list. */
  list(command: Read): Promise<readonly ReadonlyMap<string, string>[]>;
}

export const isRegistered = async (now: Lookups, vm: string): Promise<boolean> =>
  (await now.vms()).some(({ uuid }) => uuid === vm);

/*
 * VBoxManage may crash or lose VBoxSVC after a change took effect, and a change in progress is completed without it. So
 * each command states what its repetition does, and how to find out that it is done where the repetition would fail.
 */

/** Changes nothing. */
export interface Read {
  readonly kind: "read";
  readonly argv: Argv;
}

/** A change that succeeds again, with the same result. */
export interface Repeatable {
  readonly kind: "repeatable";
  readonly argv: Argv;
}

/** A change whose repetition may fail, or may no longer apply. */
export interface Once {
  readonly kind: "once";
  readonly argv: Argv;
  /** Asked after a failure: whether VirtualBox's state is as the command would make it. */
  done(now: Lookups): Promise<boolean>;
}

/** A change that creates another object each time, so it is repeated only if VBoxSVC has not received it. */
export interface Addition extends Omit<Once, "kind"> {
  readonly kind: "addition";
}

export type Change = Repeatable | Once;
export type Command = Read | Change | Addition;

export const read = (...argv: Argv): Read => ({ kind: "read", argv });
export const repeatable = (...argv: Argv): Repeatable => ({ kind: "repeatable", argv });
export const once = (argv: Argv, done: Once["done"]): Once => ({ kind: "once", argv, done });
export const addition = (argv: Argv, done: Addition["done"]): Addition => ({ kind: "addition", argv, done });
