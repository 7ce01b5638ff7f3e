import type { DriverName } from "./drivers";
import type { Owner } from "./hypervisor-objects";

/** A snapshot of a stack: what all its machines had on their disks at one instant, without their memory. */
export interface SnapshotName {
  readonly stack: string;
  readonly name: string;
}

/** What a machine was when the snapshot was created. Its disks fit only this machine again. */
export interface SnapshotMachine {
  readonly name: string;
  readonly owner: Owner;
  readonly generation: string;
  readonly image: string;
  readonly disks: readonly string[];
  /** What its part occupied, or how much its disks occupied then: see `SnapshotMethod`. */
  readonly bytes: number;
}

export interface SnapshotRecord extends SnapshotName {
  readonly driver: DriverName;
  /** ISO 8601 */
  readonly created: string;
  /** How long the machines stood still. */
  readonly pausedMs: number;
  readonly machines: readonly SnapshotMachine[];
  /** Of the stack's file, to notice that it has changed since. */
  readonly configuration?: string;
  /** Digests of the stack's keys by name, which the disks hold. */
  readonly keys?: Readonly<Record<string, string>>;
}

export interface SnapshotState extends SnapshotRecord {
  /** On the host's disk now. */
  readonly bytes: number;
  /** Why it cannot be restored; absent = it can. */
  readonly obstacle?: string;
}

/** A creation or a restore that has begun and not ended. Machines stand still meanwhile, or have no power. */
export interface UnfinishedSnapshot {
  readonly name: string;
  readonly change: "creation" | "restore";
  /** Its process has ended. */
  readonly isInterrupted: boolean;
}

export interface CreateSnapshot extends Pick<SnapshotRecord, "configuration" | "keys"> {
  readonly signal?: AbortSignal;
  readonly progress?: (text: string) => void;
}

export type RestoreSnapshot = Omit<CreateSnapshot, "configuration" | "keys">;
