import { type DriverName, featuresOf } from "./drivers";
import type { Role } from "./roles";

/**
 * In which order nodes get the system disks of another image, one after the other: first what others are reached through, then what
 * holds data, and the nodes that run pods after those that control them.
 */
export const imageRollOrder: readonly Role[] = ["gateway", "balancer", "storage", "etcd", "master", "worker"];

/** Sorts nodes in that order. A node with several roles comes with the first of them. */
export function inRollOrder<Node extends { readonly roles: readonly Role[] }>(nodes: readonly Node[]): readonly Node[] {
  const turnOf = ({ roles }: Node): number => imageRollOrder.findIndex((role) => roles.includes(role));
  return [...nodes].sort((one, other) => turnOf(one) - turnOf(other));
}

/**
 * The same order in turns: the nodes of a turn get the image at the same time. Only workers share one, up to a number of them. A node
 * with another role besides has its turn alone.
 */
export function rollTurns<Node extends { readonly roles: readonly Role[] }>(
  nodes: readonly Node[],
  maxUnavailableWorkers: number,
): readonly (readonly Node[])[] {
  const isWorker = ({ roles }: Node): boolean => roles.every((role) => role === "worker");
  const turns: Node[][] = [];
  for (const node of inRollOrder(nodes)) {
    const last = turns.at(-1);
    const hasRoom = last !== undefined && last.length < maxUnavailableWorkers && [...last, node].every(isWorker);
    if (hasRoom) last.push(node);
    else turns.push([node]);
  }
  return turns;
}

/** For evictions that a disruption budget delays. The pods' own grace comes on top. */
const EVICTION_SECONDS = 90;
/** A budget that no other node can satisfy must not delay a roll for hours. */
const MOST_EVICTIONS = 5;

/** How long the pods of a node may wait for disruption budgets that nodes of the same turn use as well. */
export const evictionSeconds = (nodesInTurn: number): number =>
  EVICTION_SECONDS * Math.min(nodesInTurn, MOST_EVICTIONS);

/** The number of nodes with a role. */
export type CountOf = (role: Role) => number;

/** So many members of etcd keep a majority while one is away. */
const LEAST_MEMBERS = 3;

/** Why a node with the role keeps the image that it was made from; `undefined`: another one reaches it. */
const keptBy: Readonly<Record<Role, (count: number) => string | undefined>> = {
  gateway: () => "every connection to the machines goes through it",
  balancer: (count) => (count > 1 ? undefined : "no other balancer could hold the floating IP meanwhile"),
  storage: (count) => (count > 1 ? undefined : "no other machine has a copy of the volume"),
  etcd: (count) => (count >= LEAST_MEMBERS ? undefined : "etcd would have no majority without it"),
  master: (count) => (count > 1 ? undefined : "no other master has an API server"),
  worker: () => undefined,
};

/** Why a node keeps the image that it was made from; `undefined`: another image reaches it. */
export function keepsImage(roles: readonly Role[], countOf: CountOf, driver: DriverName | "auto"): string | undefined {
  const reason = keptByRoles(roles, countOf);
  return reason === undefined ? keptByDriver(driver) : `${reason}; it gets another image when it is recreated`;
}

/** The same without what can be done. */
export const reasonToKeepImage: typeof keepsImage = (roles, countOf, driver) =>
  keptByRoles(roles, countOf) ?? keptByDriver(driver);

function keptByRoles(roles: readonly Role[], countOf: CountOf): string | undefined {
  const [reason] = imageRollOrder.flatMap((role) => (roles.includes(role) ? (keptBy[role](countOf(role)) ?? []) : []));
  return reason;
}

function keptByDriver(driver: DriverName | "auto"): string | undefined {
  // Reported for the drivers on which more happens.
  if (driver === "auto" || featuresOf(driver).exchangesDisks) return undefined;
  return `machines of the driver ${driver} get another image only when they are recreated`;
}
