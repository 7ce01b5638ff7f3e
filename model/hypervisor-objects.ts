/** The objects of the driver port: as a stack requests them, and as the driver finds them. */

import type { Role } from "./roles";

/** Who made an object: stack name plus the resource's URN, kept beside the object. */
export interface Owner {
  readonly stack: string;
  readonly urn: string;
}

/** How a segment reaches beyond its machines. */
export interface SegmentAttachment {
  /** `host`: the host has an address in it; `adapter`: it is joined with the network of one of the host's adapters. */
  readonly kind: "host" | "adapter";
  /** The host's address, e.g. `192.168.56.2/24`. */
  readonly address?: string;
  /** Name of the host's adapter. */
  readonly adapter?: string;
}

export interface SegmentSpec {
  readonly stack: string;
  /** e.g. `dmz` */
  readonly name: string;
  /** Only where the driver can; absent = the segment exists between its machines alone. */
  readonly attachment?: SegmentAttachment;
}

export interface SegmentState {
  readonly owner: Owner;
  readonly attachment?: SegmentAttachment;
}

export interface DiskSpec {
  readonly stack: string;
  /** e.g. `storage-1-brick` */
  readonly name: string;
  readonly uuid: string;
  readonly sizeGiB: number;
  /** What its data is, e.g. which copy of which volume; drivers record it. Absent in the records of earlier versions. */
  readonly use?: string;
}

export interface ImageSpec {
  /** Name of the image's folder or file in the image store; contains the recipe's hash, e.g. `infrastructure-3f2a…`. */
  readonly name: string;
}

export interface NicSpec {
  readonly segment: string;
  /** Name in the guest where the driver can choose it (nspawn); elsewhere the seed renames by MAC. */
  readonly name: string;
  readonly mac: string;
}

export interface PortForward {
  /** Port on the host's 127.0.0.1. */
  readonly hostPort: number;
  /** Port on the machine's uplink address. */
  readonly guestPort: number;
}

/** The uplink of the data centre: user-mode NAT, 10.0.2.15/24 by default, the host's loopback closed to guests. */
export interface UplinkSpec {
  readonly mac: string;
  readonly forwards: readonly PortForward[];
  /** Ranges that are open although they belong to the host or its networks; absent = none. */
  readonly reachable?: readonly string[];
}

export interface DiskAttachment {
  readonly disk: string;
  /** Mount point in the guest (nspawn binds it); disks of VMs are mounted by the seed. */
  readonly mountPoint: string;
}

export interface MachineSpec {
  readonly stack: string;
  readonly name: string;
  /** Drivers record them and do not read them. Absent in the records of earlier revisions. */
  readonly roles?: readonly Role[];
  readonly uuid: string;
  readonly image: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
  readonly nics: readonly NicSpec[];
  readonly uplink?: UplinkSpec;
  readonly disks: readonly DiskAttachment[];
  /**
   * How long the guest may take to shut down when a change or its removal stops it; its pods end within that time. Absent in
   * the records of earlier revisions.
   */
  readonly shutdownSeconds?: number;
}

/** For machines without a planned time. */
const SHUTDOWN_SECONDS = 30;

/** After this time, an orderly shutdown of the machine ends with a power cut. */
export const shutdownMs = ({ shutdownSeconds = SHUTDOWN_SECONDS }: Pick<MachineSpec, "shutdownSeconds">): number =>
  shutdownSeconds * 1000;

export interface MachineName {
  readonly stack: string;
  readonly name: string;
}

/** An object of a stack, as its driver finds it on the host. */
export interface StackObject {
  readonly kind: "machine" | "segment" | "disk";
  readonly name: string;
  /** Absent if it has no mark. */
  readonly owner?: Owner;
}

/** cloud-init's three files with every secret filled in. Written 0600, never logged. */
export interface SeedFiles {
  readonly userData: string;
  readonly metaData: string;
  readonly networkConfig: string;
}

export type PowerState = "running" | "stopped";

/** What the hypervisor has, read back from it and not from memory. */
export interface MachineState {
  readonly spec: MachineSpec;
  readonly owner: Owner;
  readonly power: PowerState;
  /** New per creation, never reused: distinguishes a recreated machine from its predecessor. */
  readonly generation: string;
  /** What differs from how the driver made it and has no word in `spec`, a sentence each; absent = nothing. */
  readonly drift?: readonly string[];
  /** The image of the system disk that was set aside for the present one; absent = none. */
  readonly formerImage?: string;
}
