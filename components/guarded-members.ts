import type { DriverName } from "../model/drivers";
import { guardedPools } from "../model/pool-change";
import type { GuardInputs } from "../model/resource-types";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import { keptReleasesOf } from "../stacks/plan/kept-releases";
import { keepersOfData } from "../stacks/plan/plan-volume";

/** The members that the guard protects. */
export function guardedMembers(plan: DataCenterPlan, driver: DriverName): GuardInputs {
  const members = guardedPools(plan.nodes, ({ name, roles, uuid, interfaces }) => ({
    name,
    roles,
    uuid,
    macs: interfaces.map(({ mac }) => mac),
  }));
  return {
    driver,
    stack: plan.stack,
    ...members,
    replicas: keepersOfData(members.storage.length),
    volume: plan.volume?.shape ?? "",
    // The chosen one: `auto` and its choice do not differ.
    settings: { ...plan.settings, driver },
    kept: keptReleasesOf(plan, driver),
  };
}
