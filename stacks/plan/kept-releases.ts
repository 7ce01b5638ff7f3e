import type { DriverName } from "../../model/drivers";
import { keptReleases } from "../../model/upgrades";
import { type DataCenterPlan, nodesOf } from "./data-center-plan";

/** The nodes of a plan that cannot get the image of another release, with their reasons. */
export const keptReleasesOf = (plan: DataCenterPlan, driver: DriverName | "auto"): Readonly<Record<string, string>> =>
  keptReleases(plan.nodes, (role) => nodesOf(plan, role).length, driver, plan.kubernetes.runtime);
