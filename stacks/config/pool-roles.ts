import { type PoolName, type Role, roleNames, roles } from "../../model/roles";
import type { Configuration } from "./configuration";

/**
 * The roles of a pool's machines in a stack, in the order of the table of roles. No other place decides it: rules, plan and seeds
 * read the set.
 */
export function rolesOfPool(_pools: Configuration["pools"], pool: PoolName): readonly Role[] {
  return roleNames.filter((role) => roles[role].pool === pool);
}
