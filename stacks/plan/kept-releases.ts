import type { DriverName } from "../../model/drivers";
import type { Role } from "../../model/roles";
import { reasonToKeepRelease } from "../../model/upgrades";
import { type DataCenterPlan, nodesOf } from "./data-center-plan";

/** The nodes that cannot get the image of another release, with their reasons. */
export function keptReleases(plan: DataCenterPlan, driver: DriverName | "auto"): Readonly<Record<string, string>> {
  const countOf = (role: Role): number => nodesOf(plan, role).length;
  return Object.fromEntries(
    plan.nodes.flatMap(({ name, roles }) => {
      const reason = reasonToKeepRelease(roles, countOf, driver, plan.kubernetes);
      return reason === undefined ? [] : [[name, reason] as const];
    }),
  );
}
