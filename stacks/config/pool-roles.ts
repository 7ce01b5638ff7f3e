import { type PoolName, poolNames, type Role, roleNames, roles } from "../../model/roles";
import type { Configuration } from "./configuration";

type Pools = Configuration["pools"];

/**
 * The roles of a pool's machines in a stack: first the pool's own, which names them, then the others in the order of the table of
 * roles. No other place decides it: rules, plan and seeds read the set.
 */
export function rolesOfPool(pools: Pools, pool: PoolName): readonly Role[] {
  const home = (role: Role): PoolName =>
    role === "etcd" && !hasEtcdMachines(pools) ? poolOfMasters(pools) : roles[role].pool;
  const further = furtherRolesOf(pools, pool);
  const all = roleNames.filter((role) => home(role) === pool || further.includes(role));
  return [...all.filter((role) => roles[role].pool === pool), ...all.filter((role) => roles[role].pool !== pool)];
}

/** The roles that the configuration adds to those of a pool. */
export const furtherRolesOf = ({ gateway, masters }: Pools, pool: PoolName): readonly Role[] =>
  pool === "gateway" ? gateway.roles : pool === "masters" ? masters.roles : [];

/** The gateway may be the only master. */
export const isGatewayMaster = ({ gateway }: Pools): boolean => gateway.roles.includes("master");

const poolOfMasters = (pools: Pools): PoolName => (isGatewayMaster(pools) ? "gateway" : "masters");

/** The gateway is a member of etcd beside the masters. */
export const hasWitness = (pools: Pools): boolean => pools.gateway.roles.includes("etcd") && !isGatewayMaster(pools);

/** Without machines of its own, etcd runs on the masters. */
export const hasEtcdMachines = ({ etcd }: Pools): boolean => etcd.count > 0;

/** How many machines of a stack have the role, in whichever pool. */
export const countOfRole = (pools: Pools, role: Role): number =>
  poolNames.reduce((sum, pool) => sum + (rolesOfPool(pools, pool).includes(role) ? pools[pool].count : 0), 0);

/** The finding for what names the segment of etcd in another stack. */
export const noEtcdSegment = {
  rule: "must not be etcd in a stack without machines for it",
  fix: "use pools.etcd: {count: 3}, or remove the entry",
} as const;
