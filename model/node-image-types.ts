import type { BootstrapMember, DriverInput, GuestConnection, SeedInputs } from "./resource-types";
import type { Role } from "./roles";
import type { AccompanyingFile } from "./seed";

/**
 * The image of one node's system disk. A machine is created from the planned image; one that has another image gets a new system disk
 * while it stays the same machine, with its identity, addresses and data disks. Only `image` and `keeps` are compared: the rest is
 * read when a disk is exchanged.
 */
export interface NodeImageInputs extends DriverInput {
  readonly stack: string;
  readonly node: string;
  readonly roles: readonly Role[];
  readonly image: string;
  /** Why the node keeps the image that it has; absent: it follows the plan. */
  readonly keeps?: string;
  /** The version of Kubernetes in the image; absent: it has none, or the state is of an earlier version. */
  readonly release?: string;
  readonly connection: GuestConnection;
  /** Masters through which it leaves and joins the cluster, or machines of etcd; empty for a node that is in neither. */
  readonly masters: readonly BootstrapMember[];
  /** Nodes that do the same work, or that only this one connects, and must be ready before it is away. */
  readonly peers: readonly BootstrapMember[];
  /** Its roles that no other node can do the work of meanwhile; absent: none. */
  readonly alone?: readonly Role[];
  /** Workers that get the image at the same time; absent: none. */
  readonly alongside?: readonly string[];
  /** Why the measured time of an exchange is not that of such a node; absent: it is. */
  readonly unlike?: string;
  /** Names of all members of etcd; empty or absent for a node that is none. */
  readonly etcd?: readonly string[];
  readonly podGraceSeconds: number;
  /** Of the first boot from the new disk. */
  readonly seed: SeedInputs;
  /** Secret. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What the node does when it has joined from a new disk; absent: nothing. */
  readonly afterJoin?: CommandAfterJoin;
}

export interface CommandAfterJoin {
  readonly command: readonly string[];
  /** Written before it runs. */
  readonly files: readonly AccompanyingFile[];
}

export interface NodeImageOutputs extends Omit<NodeImageInputs, "release" | "seed" | "secrets" | "afterJoin"> {
  /** No exchange is under way. */
  readonly settled: boolean;
}
