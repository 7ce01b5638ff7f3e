import type { FailoverTimers } from "../../model/failover-profiles";

/** One storage machine's part of the volume. */
export interface BrickPlan {
  /** Name of the storage machine. */
  readonly node: string;
  readonly address: string;
  /** UUIDv5 of stack and node name: a machine that takes the place of a lost one is the same peer to the others. */
  readonly peerId: string;
  /** Where the data disk is, e.g. `/data/brick`. */
  readonly mountPoint: string;
  /** The folder on it that the volume has for itself. */
  readonly folder: string;
}

type VolumeTimers = FailoverTimers["volume"];

/** The replicated volume that every worker mounts. */
export interface VolumePlan extends VolumeTimers {
  readonly name: string;
  /** `single` = one storage machine, one copy. */
  readonly shape: "single" | "replica-3" | "arbiter";
  /** By machine; with an arbiter the last one is it. */
  readonly bricks: readonly BrickPlan[];
  /** Where workers have it. */
  readonly mountPoint: string;
  /** Addresses and ranges that may mount it. */
  readonly clients: readonly string[];
}

/** A volume of the system disk, as large as it is to be; system containers have none. */
export interface SystemVolumePlan {
  readonly mountPoint: string;
  readonly sizeMiB: number;
  /** Named in the configuration: a smaller one would be a loss, while a mere share may turn out smaller. */
  readonly named: boolean;
}

export interface DataDiskPlan {
  /** Name within the stack, e.g. `storage-1-brick`. */
  readonly name: string;
  readonly uuid: string;
  readonly sizeGiB: number;
  /** Where the guest has it, e.g. `/data/brick`. */
  readonly mountPoint: string;
}
