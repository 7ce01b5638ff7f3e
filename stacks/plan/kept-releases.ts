import type { DriverName } from "../../model/drivers";
import { forStack } from "../../model/next-step";
import { keptReleases, newerRelease } from "../../model/upgrades";
import type { EffectiveRelease } from "../config/effective-release";
import { type DataCenterPlan, nodesOf } from "./data-center-plan";

/** The nodes of a plan that cannot get the image of another release, with their reasons. */
export const keptReleasesOf = (plan: DataCenterPlan, driver: DriverName | "auto"): Readonly<Record<string, string>> =>
  keptReleases(plan.nodes, (role) => nodesOf(plan, role).length, driver, plan.kubernetes.runtime);

/** For a stack that keeps its release because its file names none: whether a newer one is available, and the way to it. */
export const newerReleaseOf = (
  plan: DataCenterPlan,
  driver: DriverName | "auto",
  { version, from }: EffectiveRelease,
): string | undefined => {
  const news = from === "stack" ? newerRelease(version, keptReleasesOf(plan, driver)) : undefined;
  return news && forStack(news, plan.stack);
};
