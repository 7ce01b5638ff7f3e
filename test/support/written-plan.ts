import type { Configuration } from "../../stacks/config/configuration";
import { parseConfiguration } from "../../stacks/config/parse-configuration";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";

/** The configuration that a user writes below `groundplane:dataCenter`. Throws if it has a problem. */
export function writtenConfiguration(written: object, stack = "lab"): Configuration {
  const { configuration, problems } = parseConfiguration(written, { stack });
  if (configuration === undefined) throw new Error(JSON.stringify(problems, null, 2));
  return configuration;
}

export const writtenPlan = (written: object, stack = "lab"): DataCenterPlan =>
  planDataCenter(writtenConfiguration(written, stack));
