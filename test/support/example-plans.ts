import { readFileSync } from "node:fs";
import * as path from "node:path";
import type { Configuration } from "../../stacks/config/configuration";
import { readConfigurationFile } from "../../stacks/config/read-configuration-file";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";

export const exampleStacks = ["lab", "small"] as const;
export type ExampleStack = (typeof exampleStacks)[number];

/** The configuration of one of the shipped example stacks, from its file. */
export function exampleConfiguration(stack: ExampleStack): Configuration {
  const text = readFileSync(path.join(__dirname, "..", "..", "stacks", `Pulumi.${stack}.yaml`), "utf8");
  const { configuration, problems } = readConfigurationFile(text, { stack });
  if (!configuration) throw new Error(`stacks/Pulumi.${stack}.yaml: ${JSON.stringify(problems)}`);
  return configuration;
}

export const examplePlan = (stack: ExampleStack): DataCenterPlan => planDataCenter(exampleConfiguration(stack));
