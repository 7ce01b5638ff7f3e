import type { DriverName } from "../../model/drivers";

/**
 * What the user asked for, after parsing, defaulting and checking: one object per stack, readonly, complete.
 * Sizes are numbers in the unit the name says; addresses and CIDRs are dotted text that has been checked.
 */

import type { DistributionName } from "../../model/distributions";
import type { FailoverProfile } from "../../model/failover-profiles";
import type { SegmentName } from "../../model/segments";

export type { DriverName };

/** Pools whose machines have a role of their own; the gateway is always exactly one machine. */
export type PoolName = "gateway" | "balancers" | "masters" | "workers" | "storage";

export interface DiskConfiguration {
  /** Name within the machine, e.g. `brick`; lower-case letters, digits and dashes. */
  readonly name: string;
  readonly sizeGiB: number;
}

export interface PoolConfiguration {
  readonly count: number;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Size of the system disk; nspawn machines share the host's file system and only warn. */
  readonly diskGiB: number;
  /** GiB by mount point; volumes that are not named get a share of what is left of the system disk. */
  readonly volumes: Readonly<Record<string, number | undefined>>;
  /** Data disks, kept when the machine is replaced and when the stack is destroyed unless `keepDataDisks` is false. */
  readonly disks: readonly DiskConfiguration[];
}

export interface NetworkConfiguration {
  /** One range for the whole data centre; the segments are carved from it. */
  readonly cidr: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
}

/** What moves the floating IP between two balancers. */
export type FailoverProgram = "pacemaker" | "keepalived";

/** What three storage machines keep: three copies, or two and an arbiter between them. */
export type VolumeShape = "replica-3" | "arbiter";

export interface StorageConfiguration {
  readonly volume: VolumeShape;
}

export interface OptionsConfiguration {
  readonly failover: FailoverProfile;
  readonly failoverBy: FailoverProgram;
  /** Start-up probes of control plane and CoreDNS once a second instead of kubeadm's stock ten. */
  readonly fastProbes: boolean;
  /** Consent to start a new, empty cluster when the data of every master is gone. */
  readonly rebootstrap: boolean;
  /** `true`: nobody may break machines of this stack on purpose, see `groundplane verify`. */
  readonly protected: boolean;
  /** `false` deletes data disks together with the stack. */
  readonly keepDataDisks: boolean;
}

/** Ports on the host's 127.0.0.1; by default derived from the stack's name. */
export interface HostPortsConfiguration {
  readonly api: number;
  readonly ssh: number;
}

/** A segment that reaches beyond its machines: to the host alone, or through one of the host's adapters to a network. */
export interface AttachmentConfiguration {
  readonly segment: SegmentName;
  readonly to: "host" | "adapter";
  /** Name of the host's adapter, for `to: adapter`. */
  readonly adapter?: string | undefined;
}

/** What only VirtualBox has. */
export interface VirtualboxConfiguration {
  readonly attachments: readonly AttachmentConfiguration[];
}

export interface Configuration {
  /** The stack's name: lower-case letters, digits and dashes, at most 20 characters, starts with a letter. */
  readonly name: string;
  /** `auto` has been left as it is here: the host decides it, not the file. */
  readonly driver: DriverName | "auto";
  readonly kubernetesVersion: string;
  /** What machines are made of. */
  readonly distribution: DistributionName;
  readonly pools: Readonly<Record<PoolName, PoolConfiguration>>;
  readonly storage: StorageConfiguration;
  readonly network: NetworkConfiguration;
  /** The API's address, inside the dmz segment; undefined = planned. */
  readonly floatingIp: string | undefined;
  readonly hostPorts: HostPortsConfiguration;
  readonly options: OptionsConfiguration;
  readonly virtualbox: VirtualboxConfiguration;
}

/** One thing that is wrong with what the user wrote. */
export interface ConfigurationProblem {
  /** Path in the configuration, e.g. `pools.masters.count`. */
  readonly path: string;
  /** 1-based line in the file, where the file is known. */
  readonly line?: number;
  /** The value as written, shortened, JSON; secrets never occur in the configuration. */
  readonly value: string;
  /** The rule it breaks, e.g. `must be odd, so that etcd keeps a majority`. */
  readonly rule: string;
  /** What would be right, e.g. `use 1, 3 or 5`. */
  readonly fix: string;
}
