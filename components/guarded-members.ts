import { guardedRole, type Pool } from "../model/pool-change";
import type { GuardInputs } from "../model/resource-types";
import { type DataCenterPlan, nodesOf } from "../stacks/plan/data-center-plan";
import { keepersOfData } from "../stacks/plan/plan-volume";

/** The members that the guard protects. */
export function guardedMembers(plan: DataCenterPlan, driver: string): GuardInputs {
  const members = (pool: Pool) =>
    nodesOf(plan, guardedRole[pool]).map(({ name, roles, uuid, interfaces }) => ({
      name,
      roles,
      uuid,
      macs: interfaces.map(({ mac }) => mac),
    }));
  const storage = members("storage");
  return {
    driver,
    stack: plan.stack,
    masters: members("masters"),
    balancers: members("balancers"),
    storage,
    replicas: keepersOfData(storage.length),
    volume: plan.volume?.shape ?? "",
    // The chosen one: `auto` and its choice do not differ.
    settings: { ...plan.settings, driver },
  };
}
