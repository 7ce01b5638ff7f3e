import { healthCheckNames, healthChecks } from "../model/health-checks";
import { type ExplainedCommand, type Explanation, filled } from "./explanation";
import type { Subject } from "./subject";

const conventions = {
  "exit code": "0 success, 1 failure or an unhealthy result, 2 wrong command line",
  output: "results go to stdout, everything else to stderr",
} as const;

export function explainCommand({ commands }: Subject, command: ExplainedCommand): Explanation {
  const { name, description, usage, options } = command;
  const checks = healthCheckNames.filter((check) => mentions(healthChecks[check].next, name));
  const parts = commands.filter((each) => each.name.startsWith(`${name} `));
  return {
    kind: "command",
    name,
    is: `${description}.`,
    sections: filled([
      { title: "Usage", text: `npx groundplane ${name}${usage === "" ? "" : ` ${usage}`}` },
      { title: "Options", rows: options },
      { title: "Consists of", rows: parts.map((each) => [each.name, each.description]) },
      { title: "Is the next step of", rows: checks.map((check) => [check, healthChecks[check].means]) },
      { title: "As all commands", rows: Object.entries(conventions) },
      { title: "See it", commands: [`npx groundplane ${name} --help`] },
    ]),
  };
}

const mentions = (text: string, name: string): boolean => new RegExp(`npx groundplane ${name}\\b`).test(text);
