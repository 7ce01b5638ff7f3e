import type { SegmentName } from "./segments";
import type { ImageKind } from "./volumes";

/** What a node is for. A node has a set of roles: first the one that names it, then the others in this order. */
export const roleNames = ["gateway", "balancer", "master", "etcd", "worker", "storage"] as const;

export type Role = (typeof roleNames)[number];

/** The pools of the configuration. The gateway is always exactly one machine. */
export const poolNames = ["gateway", "balancers", "masters", "etcd", "workers", "storage"] as const;

export type PoolName = (typeof poolNames)[number];

export interface RoleDescription {
  /** What a node with the role does, as one phrase. */
  readonly is: string;
  /** Why a data centre has it. */
  readonly why: string;
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
    is: "the router, firewall, name server and time server of the data centre",
    why: "Segments separate what does not need to talk to each other. The only way from one segment to another, and to the world, is through this machine, which lets pass what the table of flows lists and nothing else.",
    ...{ pool: "gateway", segment: "dmz", image: "infrastructure" },
    ...{ stopOrder: 6, roll: "first", isClusterNode: false, isKnownEverywhere: true },
    loss: both("traffic between segments, DNS, and access from the host"),
  },
  balancer: {
    is: "one of the machines that hold the address of the API and forward connections to the masters",
    why: "Clients know one address, the floating IP. One balancer holds it at a time and shares the connections out among the masters that are ready. When it fails, another balancer takes the address, so that clients connect again to the same one.",
    ...{ pool: "balancers", segment: "dmz", image: "infrastructure" },
    ...{ stopOrder: 5, roll: "in-turn", isClusterNode: false, isKnownEverywhere: true },
    loss: { ofTheOnly: "the API", ofOneOfSeveral: "the API, if it holds the floating IP" },
  },
  master: {
    is: "a machine of the control plane: API server, controller manager and scheduler",
    why: "Every change of the cluster is a request to an API server. All of them serve at the same time; of the controller managers and schedulers, one each is the leader and the others wait for its lease to end.",
    ...{ pool: "masters", segment: "masters", image: "kubernetes" },
    ...{ stopOrder: 3, roll: "in-turn", isClusterNode: true, isKnownEverywhere: true },
    loss: both("the API"),
  },
  // A static pod of each master, or of machines of its own.
  etcd: {
    is: "a member of the database in which the cluster keeps its state",
    why: "A write counts when a majority of the members has it on disk. So three members survive the loss of one, and a minority that is cut off accepts no writes that would be lost later.",
    ...{ pool: "etcd", segment: "etcd", image: "kubernetes" },
    ...{ stopOrder: 4, roll: "in-turn", isClusterNode: false, isKnownEverywhere: true },
    loss: both("the API"),
  },
  worker: {
    is: "a machine that runs the pods of users",
    why: "Its kubelet starts the containers of the pods that the scheduler gives it, and reports that the node lives. When the reports stop, the controller manager replaces the pods on other workers.",
    ...{ pool: "workers", segment: "workers", image: "kubernetes" },
    ...{ stopOrder: 1, roll: "together", isClusterNode: true, isKnownEverywhere: false },
    loss: { ofTheOnly: "all workloads", ofOneOfSeveral: "its pods, until they run on other workers" },
  },
  storage: {
    is: "a machine that serves one copy of the shared volume",
    why: "A pod may move to another worker, and its data must be there. The volume has a copy on several storage machines; a write is acknowledged when the copies that count have it.",
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
