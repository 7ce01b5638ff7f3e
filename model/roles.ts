import type { SegmentName } from "./segments";
import type { ImageKind } from "./volumes";

/** What a node is for. A node has a set of roles: first the one that names it, then the others in this order. */
export const roleNames = ["gateway", "balancer", "master", "etcd", "worker", "storage"] as const;

export type Role = (typeof roleNames)[number];

/** The pools of the configuration. The gateway is always exactly one machine. */
export const poolNames = ["gateway", "balancers", "masters", "etcd", "workers", "storage"] as const;

export type PoolName = (typeof poolNames)[number];

export interface RoleDescription {
  /** The pool that has the role for its own. A configuration can give it to the machines of another pool instead. */
  readonly pool: PoolName;
  readonly segment: SegmentName;
  readonly image: ImageKind;
  /** Nodes with lower numbers stop first. A node with several roles stops with the last of them. */
  readonly stopOrder: number;
  /** How changed files reach the nodes: before all other nodes, one node after the other, or all nodes at once. */
  readonly roll: "first" | "in-turn" | "together";
  /** The node is a Node of the Kubernetes cluster. */
  readonly isClusterNode: boolean;
  /** Every node knows its name without DNS, so that it is found while the gateway is away. */
  readonly isKnownEverywhere: boolean;
  /** What is not available while a node with the role is away. */
  readonly loss: {
    readonly ofTheOnly: string;
    readonly ofOneOfSeveral: string;
  };
}

export const roles: Readonly<Record<Role, RoleDescription>> = {
  gateway: {
    ...{ pool: "gateway", segment: "dmz", image: "infrastructure" },
    ...{ stopOrder: 6, roll: "first", isClusterNode: false, isKnownEverywhere: true },
    loss: both("traffic between segments, DNS, and access from the host"),
  },
  balancer: {
    ...{ pool: "balancers", segment: "dmz", image: "infrastructure" },
    ...{ stopOrder: 5, roll: "in-turn", isClusterNode: false, isKnownEverywhere: true },
    loss: { ofTheOnly: "the API", ofOneOfSeveral: "the API, if it holds the floating IP" },
  },
  master: {
    ...{ pool: "masters", segment: "masters", image: "kubernetes" },
    ...{ stopOrder: 3, roll: "in-turn", isClusterNode: true, isKnownEverywhere: true },
    loss: both("the API"),
  },
  // A static pod of each master, or of machines of its own.
  etcd: {
    ...{ pool: "etcd", segment: "etcd", image: "kubernetes" },
    ...{ stopOrder: 4, roll: "in-turn", isClusterNode: false, isKnownEverywhere: true },
    loss: both("the API"),
  },
  worker: {
    ...{ pool: "workers", segment: "workers", image: "kubernetes" },
    ...{ stopOrder: 1, roll: "together", isClusterNode: true, isKnownEverywhere: false },
    loss: { ofTheOnly: "all workloads", ofOneOfSeveral: "its pods, until they run on other workers" },
  },
  storage: {
    ...{ pool: "storage", segment: "storage", image: "infrastructure" },
    ...{ stopOrder: 2, roll: "in-turn", isClusterNode: false, isKnownEverywhere: true },
    loss: { ofTheOnly: "all volumes", ofOneOfSeveral: "writes to volumes" },
  },
};

function both(loss: string): RoleDescription["loss"] {
  return { ofTheOnly: loss, ofOneOfSeveral: loss };
}

/** The roles of a pool's machines in states of earlier revisions, which recorded the pool alone. */
export const formerRolesOfPool: Readonly<Record<"masters" | "etcd" | "balancers" | "storage", readonly Role[]>> = {
  masters: ["master", "etcd"],
  etcd: ["etcd"],
  balancers: ["balancer"],
  storage: ["storage"],
};

/** The one role that names a node where there is room for one word: in machine names and in listings. */
export function primaryRole([first]: readonly Role[]): Role {
  if (first === undefined) throw new Error("a node has at least one role");
  return first;
}

/** The role by which the scripts of a node act. On a gateway that is the master, it is that of the cluster. */
export const actingRole = (set: readonly Role[]): Role => (set.includes("master") ? "master" : primaryRole(set));

export const imageKindOf = (set: readonly Role[]): ImageKind =>
  set.some((role) => roles[role].image === "kubernetes") ? "kubernetes" : "infrastructure";

export const isClusterNode = (set: readonly Role[]): boolean => set.some((role) => roles[role].isClusterNode);

/** Pods run on it beside the control plane. */
export const isWorkingMaster = (set: readonly Role[]): boolean => set.includes("master") && set.includes("worker");

/**
 * The roles of a node in a state, an output or a rendering. Earlier revisions stored one role instead of the set, and
 * their masters always had etcd. Empty where nothing is stored.
 */
export function storedRoles(stored: {
  readonly roles?: readonly Role[] | undefined;
  readonly role?: string;
}): readonly Role[] {
  if (stored.roles !== undefined) return stored.roles;
  return stored.role === "master" ? ["master", "etcd"] : roleNames.filter((role) => role === stored.role);
}
