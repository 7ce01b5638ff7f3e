/**
 * Inputs and outputs of every resource type, shared by the provider (which makes them real) and the components (which
 * ask for them). Types only: importing this file loads nothing.
 */

import type { DiskSpec, ImageSpec, MachineSpec, PowerState, SegmentSpec } from "./hypervisor-objects";
import type { GuardedMembers } from "./pool-change";
import type { Role } from "./roles";
import type { AccompanyingFile, NodeFile } from "./seed";

/** Type tokens: `groundplane:index:<Name>`. */
export type ResourceTypeName =
  | "Segment"
  | "Image"
  | "Disk"
  | "Machine"
  | "ClusterSecrets"
  | "Bootstrap"
  | "Membership"
  | "NodeFiles"
  | "NodeImage"
  | "ClusterObjects"
  | "NodeTask"
  | "ContainerImages"
  | "Guard"
  | "Dismantling";

/** Which driver serves the stack; plain input of every resource that touches a hypervisor. */
export interface DriverInput {
  /** A name of `drivers`; already chosen, never `auto`. */
  readonly driver: string;
}

export interface SegmentInputs extends DriverInput, SegmentSpec {}
export type SegmentOutputs = SegmentInputs;

export interface ImageInputs extends DriverInput, ImageSpec {}
export interface ImageOutputs extends ImageInputs {
  readonly digest: string;
}

export interface DiskInputs extends DriverInput, DiskSpec {
  /** What its data is. A disk that was kept is used again for the same only. Absent in the states of earlier versions. */
  readonly use?: string;
  /** Delete leaves the disk and its data where they are. */
  readonly keep: boolean;
}
export type DiskOutputs = DiskInputs;

export interface SeedInputs {
  /** Texts with secret references, see model/seed.ts. */
  readonly userData: string;
  readonly metaData: string;
  readonly networkConfig: string;
}

export interface MachineVolume {
  readonly mountPoint: string;
  readonly sizeMiB: number;
  /** Its size was asked for, and is not merely a share of what is left. */
  readonly named: boolean;
}

/**
 * What a change of each input means is in change-classes.ts. `seed` and `secrets` are no outputs; what of them must follow in a
 * running node is `NodeFiles`.
 */
export interface MachineInputs extends DriverInput, MachineSpec {
  /**
   * What the guest makes of its system disk, on virtual machines only. The driver does not read it: `NodeFiles` brings
   * it to the guest, and this resource says in the preview what cannot be.
   */
  readonly volumes?: readonly MachineVolume[];
  readonly seed: SeedInputs;
  /** The secrets that the seed refers to, by name. Secret. */
  readonly secrets: Readonly<Record<string, string>>;
}
export interface MachineOutputs extends Omit<MachineInputs, "seed" | "secrets"> {
  readonly power: PowerState;
  /** Manual changes that no input describes, one sentence each. */
  readonly drift: readonly string[];
  /** New per creation; what must run again in a re-created machine takes it as a trigger. */
  readonly generation: string;
}

/** How the provider reaches a node: by SSH through the gateway's port on 127.0.0.1, host keys pinned. */
export interface GuestConnection {
  readonly bastionPort: number;
  /** `ssh-ed25519 AAAA…` of the gateway. */
  readonly bastionHostKey: string;
  /** The node's planned address; the gateway's own connection ends at the bastion. */
  readonly address: string;
  readonly hostKey: string;
  /** Accepted beside them: a rotation may not have reached a node yet. Not inputs of a resource; the provider adds them. */
  readonly formerBastionHostKeys?: readonly string[];
  readonly formerHostKeys?: readonly string[];
  /** No former host key of the node is accepted, now or later: it has its present one. Absent = false. */
  readonly hostKeyIsPresent?: boolean;
  /** OpenSSH private key of the administrator. Secret. */
  readonly privateKey: string;
  /** Tried after it: a node may not have learned of a rotation yet. Not an input of a resource; the provider adds them. */
  readonly formerKeys?: readonly string[];
  /** Factor by which the node is slower than a native one; it multiplies time limits. Absent = 1. */
  readonly slowdown?: number;
}

export interface BootstrapMember {
  readonly name: string;
  readonly address: string;
  readonly connection: GuestConnection;
}

/**
 * Starts the cluster once, in parallel on all masters that the stack begins with, and before them on its etcd machines.
 * `bootstrappedWith` records which. Later changes of `members` and `etcd` only change the list in which it looks for survivors.
 */
export interface BootstrapInputs {
  readonly stack: string;
  readonly members: readonly BootstrapMember[];
  /** The machines of etcd, which have the cluster's data; absent where the masters have it, with or without a witness. */
  readonly etcd?: readonly BootstrapMember[];
  readonly witness?: readonly BootstrapMember[];
  /** Consent to start a new, empty cluster when the data of every master is gone. */
  readonly rebootstrap: boolean;
}
export interface BootstrapOutputs extends BootstrapInputs {
  readonly bootstrappedWith: readonly string[];
  /** UID of the kube-system namespace: the cluster's identity. */
  readonly clusterId: string;
}

/**
 * One node's place in the cluster. Create: removes a stale Node object and etcd member of that name when this machine
 * is a new one, makes a join token for it alone, tells the machine to join (masters that took part in the bootstrap and nodes that
 * are members already stay as they are) and waits until the Node is Ready. Delete: drains, removes the etcd member and the
 * Node object, tolerating a dead machine; during a dismantling, and for the last master, it does nothing. Without any
 * master that answers a worker goes with a warning, a master only when no other master's machine runs.
 */
export interface MembershipInputs extends DriverInput {
  readonly stack: string;
  readonly node: string;
  readonly roles: readonly Role[];
  readonly connection: GuestConnection;
  /** Running masters to call; any of them will do. Those of an etcd machine are the etcd machines. */
  readonly masters: readonly BootstrapMember[];
  /** `MachineOutputs.generation`: a new machine of the old name joins again. */
  readonly generation: string;
  /** How long its pods may take to end when it is drained. Absent in the states of earlier revisions. */
  readonly podGraceSeconds?: number;
}
export interface MembershipOutputs extends MembershipInputs {
  /**
   * The cluster that the node is a member of, of an etcd machine etcd's own. The node does not leave a cluster that was
   * bootstrapped later.
   */
  readonly clusterId: string;
}

/** The rendered files of one running node, kept equal in the guest. Its diff is the text diff that preview shows. */
export interface NodeFilesInputs {
  readonly node: string;
  readonly connection: GuestConnection;
  readonly files: readonly NodeFile[];
  readonly generation: string;
  /** Why the node cannot get the image of another release, see upgrades.ts. */
  readonly kept?: string;
  /** Certificates that the node should have renewed. Only a read sets it, so that the next `up` renews them. */
  readonly overdue?: readonly string[];
}
export type NodeFilesOutputs = Pick<NodeFilesInputs, "node" | "generation">;

/** The administrator's access to the cluster's API, through the host's port. */
export interface ApiConnection {
  /** e.g. `https://127.0.0.1:25766` */
  readonly server: string;
  /** PEM, like the following two. */
  readonly certificateAuthority: string;
  readonly clientCertificate: string;
  /** Secret. */
  readonly clientKey: string;
  /** As in `GuestConnection`. */
  readonly slowdown?: number;
}

/**
 * A check or an idempotent action on a node, repeated over the provider's own connection until it succeeds. It ends on a
 * cancellation and at its time limit, which the official command plugin does not. Nothing is undone when it is deleted.
 */
export interface NodeTaskInputs {
  readonly node: string;
  readonly connection: GuestConnection;
  /** Exit code 0: done; 1: not yet, with the reason as its output; others: it failed. */
  readonly command: readonly string[];
  /** Secret. */
  readonly stdin?: string;
  /** Limit of one attempt, in the guest too. */
  readonly attemptSeconds: number;
  /** A change of them runs it again, e.g. `MachineOutputs.generation`. */
  readonly triggers: readonly string[];
  /** Written before the command runs. A change of them runs it again. Secret. */
  readonly files?: readonly AccompanyingFile[];
}
export type NodeTaskOutputs = NodeTaskInputs;

/** The values of a configuration by path, as they take effect. */
export type Settings = Readonly<Record<string, string>>;

/**
 * Precedes every machine and refuses a plan whose losses would break the cluster, and a configuration that a running stack cannot
 * have; see plan-losses.ts and configuration-changes.ts.
 */
export interface GuardInputs extends DriverInput, GuardedMembers {
  readonly stack: string;
  /** The configuration as it takes effect. Absent in the states of earlier versions. */
  readonly settings?: Settings;
  /** Why nodes cannot get the image of another release, by name; see upgrades.ts. */
  readonly kept?: Readonly<Record<string, string>>;
}
export interface GuardOutputs extends Omit<GuardInputs, "kept"> {
  readonly standing: boolean;
}

/** Depends on everything; goes first in a destroy, and from then on nothing drains or guards. */
export interface DismantlingInputs {
  readonly stack: string;
}
export type DismantlingOutputs = DismantlingInputs;
