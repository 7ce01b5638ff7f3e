import type { DriverName } from "../../model/drivers";
import type { MachineName, MachineSpec } from "../hypervisor";
import type { DriverRecord } from "../machine-records";

/** One machine's part of a snapshot. */
export interface SnapshotPart {
  readonly snapshot: string;
  /** Empty, only for this user, and removed with the snapshot. */
  readonly folder: string;
}

/** What the snapshots of a stack ask of its driver. Methods do not lock machines: the caller has done so. */
export interface SnapshotMethod {
  readonly driver: DriverName;
  listMachines(stack: string): Promise<readonly MachineName[]>;
  /** Only of a machine whose creation was completed. */
  readRecord(machine: MachineName): Promise<DriverRecord | undefined>;
  withMachineLock<T>(machine: MachineName, action: () => Promise<T>): Promise<T>;
  isRunning(machine: MachineName): Promise<boolean>;
  /** Refuses a machine whose disks are not as this driver keeps them. Read-only. */
  check?(spec: MachineSpec): Promise<void>;

  /** What the machine's disks occupy. */
  bytesOf(spec: MachineSpec): Promise<number>;
  /**
   * Makes running machines stand still and have their writes on their disks. A machine that stands still receives nothing of the
   * others, so the order does not matter as long as all of them stand still at one moment. After a failure, the caller resumes them.
   *
   * @returns what fails if one of them has written since, where that is possible
   */
  pause(specs: readonly MachineSpec[], paused: PauseOptions): Promise<StillPaused | undefined>;
  /** Does nothing to machines that are not paused. */
  resume(specs: readonly MachineSpec[]): Promise<void>;

  /** Saves the disks of a paused or stopped machine. */
  save(spec: MachineSpec, part: SnapshotPart, signal?: AbortSignal): Promise<void>;
  /** Replaces the disks of a stopped machine. May be repeated after it was interrupted. */
  putBack(spec: MachineSpec, part: SnapshotPart): Promise<void>;
  /** Removes what `save` has left outside of the part's folder. */
  drop?(spec: MachineSpec, part: SnapshotPart): Promise<void>;

  /** Whether the part is there, for a method that keeps it in the machine's disks: another system disk does not have it. Read-only. */
  isSaved?(spec: MachineSpec, part: SnapshotPart): Promise<boolean>;

  cutPower(spec: MachineSpec): Promise<void>;
  start(spec: MachineSpec): Promise<void>;
}

export type StillPaused = () => Promise<void>;

export interface PauseOptions {
  readonly stack: string;
  /** For files that exist only during the pause. */
  readonly folder: string;
  readonly signal?: AbortSignal;
}
