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

/** What it means for a node with a role to be away. */
interface Substitutes {
  /** With so many nodes, the others do its work meanwhile. */
  readonly enough: number;
  /** Why it keeps the image that it was made from where there are fewer; absent: it gets another one, and its work is interrupted. */
  readonly keeps?: string;
}

const substitutes: Readonly<Record<Role, Substitutes>> = {
  gateway: { enough: 2 },
  balancer: { enough: 2 },
  storage: { enough: 2 },
  // So many members keep a majority. The only one may take its data along; see movesItsData.
  etcd: { enough: 3, keeps: "etcd would have no majority without it" },
  master: { enough: 2, keeps: "no other master has an API server" },
  worker: { enough: 2 },
};

/** The roles of a node whose work no other node does while it gets another image. */
export const rolesAlone = (roles: readonly Role[], countOf: CountOf): readonly Role[] =>
  imageRollOrder.filter((role) => roles.includes(role) && countOf(role) < substitutes[role].enough);

/** Why a node keeps the image that it was made from; `undefined`: another image reaches it. */
export function keepsImage(roles: readonly Role[], countOf: CountOf, driver: DriverName | "auto"): string | undefined {
  const reason = keptByRoles(roles, countOf, driver);
  return reason === undefined ? keptByDriver(driver) : `${reason}; it gets another image when it is recreated`;
}

/** The same without what can be done. */
export const reasonToKeepImage: typeof keepsImage = (roles, countOf, driver) =>
  keptByRoles(roles, countOf, driver) ?? keptByDriver(driver);

/**
 * The only master with the only member of etcd: no other member votes while its data move to another system disk. A test must have
 * moved them on the driver, and no test has moved those of a gateway or of a storage machine yet.
 */
const movesItsData = (roles: readonly Role[], countOf: CountOf, driver: DriverName | "auto"): boolean =>
  driver !== "auto" &&
  featuresOf(driver).movesEtcd &&
  !roles.includes("gateway") &&
  !roles.includes("storage") &&
  (["master", "etcd"] as const).every((role) => roles.includes(role) && countOf(role) === 1);

function keptByRoles(roles: readonly Role[], countOf: CountOf, driver: DriverName | "auto"): string | undefined {
  if (movesItsData(roles, countOf, driver)) return undefined;
  const [reason] = rolesAlone(roles, countOf).flatMap((role) => substitutes[role].keeps ?? []);
  return reason;
}

function keptByDriver(driver: DriverName | "auto"): string | undefined {
  // Reported for the drivers on which more happens.
  if (driver === "auto" || featuresOf(driver).exchangesDisks) return undefined;
  return `machines of the driver ${driver} get another image only when they are recreated`;
}
