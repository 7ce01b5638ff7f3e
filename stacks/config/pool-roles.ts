import { type PoolName, type Role, roleNames, roles } from "../../model/roles";
import type { Configuration } from "./configuration";

/**
 * The roles of a pool's machines in a stack, in the order of the table of roles. No other place decides it: rules, plan and seeds
 * read the set.
 */
export function rolesOfPool(pools: Configuration["pools"], pool: PoolName): readonly Role[] {
  const home = (role: Role): PoolName => (role === "etcd" && !hasEtcdMachines(pools) ? "masters" : roles[role].pool);
  const further: readonly Role[] = pool === "masters" ? pools.masters.roles : [];
  return roleNames.filter((role) => home(role) === pool || further.includes(role));
}

/** Without machines of its own, etcd runs on the masters. */
export const hasEtcdMachines = ({ etcd }: Configuration["pools"]): boolean => etcd.count > 0;

/** The finding for what names the segment of etcd in another stack. */
export const noEtcdSegment = {
  rule: "must not be etcd in a stack without machines for it",
  fix: "use pools.etcd: {count: 3}, or remove the entry",
} as const;
