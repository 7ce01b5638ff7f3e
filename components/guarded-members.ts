import type { GuardInputs } from "../model/resource-types";
import { type DataCenterPlan, nodesOf, type Role } from "../stacks/plan/data-center-plan";
import { keepersOfData } from "../stacks/plan/plan-volume";

/** Whose loss matters, as the guard has to know it. */
export function guardedMembers(plan: DataCenterPlan, driver: string, imageOf: (role: Role) => string): GuardInputs {
  const members = (role: Role) =>
    nodesOf(plan, role).map(({ name, uuid, interfaces }) => ({
      name,
      uuid,
      image: imageOf(role),
      macs: interfaces.map(({ mac }) => mac),
    }));
  const storage = members("storage");
  return {
    driver,
    stack: plan.stack,
    masters: members("master"),
    balancers: members("balancer"),
    storage,
    replicas: keepersOfData(storage.length),
    volume: plan.volume?.shape ?? "",
  };
}
