import { readFileSync } from "node:fs";
import * as path from "node:path";
import { readConfigurationFile } from "../../stacks/config/read-configuration-file";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";

export const exampleStacks = ["lab", "small"] as const;
export type ExampleStack = (typeof exampleStacks)[number];

/** The plan of one of the shipped example stacks, from its file. */
export function examplePlan(stack: ExampleStack): DataCenterPlan {
  const text = readFileSync(path.join(__dirname, "..", "..", "stacks", `Pulumi.${stack}.yaml`), "utf8");
  const { configuration, problems } = readConfigurationFile(text, { stack });
  if (!configuration) throw new Error(`stacks/Pulumi.${stack}.yaml: ${JSON.stringify(problems)}`);
  return planDataCenter(configuration);
}
