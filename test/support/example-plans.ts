import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { exampleConfiguration, exampleStacks } from "./example-stacks";

export { exampleStacks };

/** The plan of one of the shipped example stacks, from its file. */
export const examplePlan = (stack: string): DataCenterPlan => planDataCenter(exampleConfiguration(stack));
