import { addOnNames } from "../../model/add-ons";
import { defaultBalancer } from "../../model/balancers";
import { defaultContainerRuntime } from "../../model/container-runtimes";
import { defaultControlPlane } from "../../model/control-planes";
import type { Settings } from "../../model/resource-types";
import { type PoolName, poolNames, type Role, roleNames } from "../../model/roles";
import type { Configuration } from "../config/configuration";
import type { BalancingPlan, VolumePlan } from "./data-center-plan";

/**
 * The configuration by path as it takes effect, to be recorded with the stack. A value without effect has no entry: a change of
 * it changes nothing.
 */
export function planSettings(
  { name: _name, driver, pools, ...others }: Configuration,
  balancing: BalancingPlan,
  volume: VolumePlan | undefined,
): Settings {
  const used = Object.fromEntries(
    poolNames.filter((pool) => pools[pool].count > 0).map((pool) => [pool, inOrder(pools[pool])] as const),
  );
  const settings = Object.fromEntries([
    // The host resolves `auto`; the program refuses another driver for an existing stack.
    ...(driver === "auto" ? [] : [["driver", driver] as const]),
    ...entriesOf(used, "pools"),
    ...entriesOf(others, ""),
    ["floatingIp", balancing.floatingIp] as const,
  ]);
  const isInert: Readonly<Record<string, boolean>> = {
    "options.failoverBy": balancing.movedBy === "static",
    // Stacks of earlier versions have no entry either.
    "pools.workers.maxUnavailable": pools.workers.maxUnavailable === 1,
    ...Object.fromEntries(addOnNames.map((name) => [`addons.${name}`, !others.addons[name]])),
    "options.runtime": others.options.runtime === defaultContainerRuntime,
    "options.balancer": balancing.program === defaultBalancer,
    "options.controlPlane": others.options.controlPlane === defaultControlPlane,
    "storage.volume": volume === undefined || volume.shape === "single",
  };
  return Object.fromEntries(Object.entries(settings).filter(([key]) => !isInert[key]));
}

/** Roles that cannot change are recorded in one order, and without those that follow from others. */
function inOrder<Pool extends Configuration["pools"][PoolName]>(pool: Pool): Pool {
  if (!("roles" in pool) || !pool.roles.some((role) => role === "master")) return pool;
  const written: readonly Role[] = pool.roles;
  return { ...pool, roles: roleNames.filter((role) => role !== "etcd" && written.includes(role)) };
}

function entriesOf(value: unknown, path: string): readonly (readonly [string, string])[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap((entry, position) => entriesOf(entry, `${path}[${position}]`));
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  return Object.entries(value).flatMap(([key, entry]) => entriesOf(entry, path === "" ? key : `${path}.${key}`));
}
