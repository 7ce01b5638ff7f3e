import * as os from "node:os";
import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { readIfPresentSync } from "../host/file-store";
import { type ConfigurationProblem, describeProblems } from "./config/describe-problems";
import { type ParseResult, parseConfiguration } from "./config/parse-configuration";
import { configurationKey, readConfigurationFile } from "./config/read-configuration-file";

type Readable = Extract<ParseResult, { readonly problems?: undefined }>;

/**
 * The configuration of the stack that Pulumi runs; the only caller of `pulumi.Config`.
 * Throws `pulumi.RunError` with every problem at once.
 *
 * @param keptRelease what the stack runs, if it exists
 */
export function readStackConfig(keptRelease: string | undefined): Readable {
  const context = { stack: pulumi.getStack(), hostMemoryMiB: Math.floor(os.totalmem() / 2 ** 20), keptRelease };
  const result = parseConfiguration(configuredValue(), context);
  const problems = [...strayKeys(), ...(result.problems ?? [])];
  if (result.configuration && problems.length === 0) return result;
  const file = path.join("stacks", `Pulumi.${context.stack}.yaml`);
  // Pulumi passes values without their lines, so the file is read again to locate the problems. The user may have named
  // another file, so only Pulumi's values decide whether there is a problem.
  const text = readIfPresentSync(file);
  const located = text === undefined ? undefined : readConfigurationFile(text, context).problems;
  throw new pulumi.RunError(describeProblems(located ?? problems, file));
}

function configuredValue(): unknown {
  const [project, key] = configurationKey.split(":") as [string, string];
  const text = new pulumi.Config(project).get(key);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Other keys of this project: a misspelt one would otherwise mean a data centre of defaults. */
function strayKeys(): readonly ConfigurationProblem[] {
  const [project] = configurationKey.split(":");
  return Object.keys(pulumi.runtime.allConfig())
    .filter((key) => key.startsWith(`${project}:`) && key !== configurationKey)
    .map((key) => ({ path: key, value: "…", rule: "unknown key", fix: `did you mean \`${configurationKey}\`?` }));
}
