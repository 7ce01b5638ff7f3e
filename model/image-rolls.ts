import { type DriverName, featuresOf } from "./drivers";
import type { Role } from "./roles";

/**
 * In which order nodes get the system disks of another image, one after the other: first what others are reached through, then what
 * holds data, and the nodes that run pods after those that control them.
 */
export const imageRollOrder: readonly Role[] = ["gateway", "balancer", "storage", "etcd", "master", "worker"];

/** The number of nodes with a role. */
export type CountOf = (role: Role) => number;

/** Why a node with the role keeps the image that it was made from; `undefined`: another one reaches it. */
const keptBy: Readonly<Record<Role, (count: number) => string | undefined>> = {
  gateway: () => "every connection to the machines goes through it",
  balancer: (count) => (count > 1 ? undefined : "no other balancer could hold the floating IP meanwhile"),
  storage: (count) => (count > 1 ? undefined : "no other machine has a copy of the volume"),
  etcd: () => "its system disk has the data of etcd",
  master: () => "its system disk has the control plane",
  worker: () => undefined,
};

/** Why a node keeps the image that it was made from; `undefined`: another image reaches it. */
export function keepsImage(roles: readonly Role[], countOf: CountOf, driver: DriverName | "auto"): string | undefined {
  const [reason] = imageRollOrder.flatMap((role) => (roles.includes(role) ? (keptBy[role](countOf(role)) ?? []) : []));
  if (reason !== undefined) return `${reason}; it gets another image when it is recreated`;
  // Reported for the drivers on which more happens.
  if (driver === "auto" || featuresOf(driver).exchangesDisks) return undefined;
  return `machines of the driver ${driver} get another image only when they are recreated`;
}
