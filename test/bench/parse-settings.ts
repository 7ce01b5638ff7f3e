import type { Configuration } from "../../stacks/config/configuration";
import { describeProblems } from "../../stacks/config/describe-problems";
import { parseConfiguration } from "../../stacks/config/parse-configuration";
import type { StackSettings } from "./bench";

/** As the product parses a stack's file; throws `Error` with every problem. */
export function parseSettings(settings: StackSettings, stack: string): Configuration {
  const { configuration, problems } = parseConfiguration(settings, { stack });
  if (configuration === undefined) throw new Error(describeProblems(problems, `the configuration of ${stack}`));
  return configuration;
}
