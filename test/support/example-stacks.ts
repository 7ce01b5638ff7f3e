import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import type { Configuration } from "../../stacks/config/configuration";
import { readConfigurationFile } from "../../stacks/config/read-configuration-file";

const stacksFolder = path.resolve(__dirname, "../../stacks");

/** Names of the stacks whose files are shipped. */
export const exampleStacks: readonly string[] = fs
  .readdirSync(stacksFolder)
  .map((file) => /^Pulumi\.([^.]+)\.yaml$/.exec(file)?.[1])
  .filter((stack) => stack !== undefined)
  .sort();

/** As it is shipped: a start in this clone adds the salt of this host, which git does not show. */
export const exampleText = (stack: string): string =>
  fs.readFileSync(path.join(stacksFolder, `Pulumi.${stack}.yaml`), "utf8").replace(/^encryptionsalt: .*\n/m, "");

/** The value of `groundplane:dataCenter` in the file of a shipped stack. */
export function exampleSettings(stack: string): Readonly<Record<string, unknown>> {
  const file = parse(exampleText(stack)) as {
    readonly config: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
  return file.config["groundplane:dataCenter"] ?? {};
}

/** The configuration of a shipped stack. Throws if it has a problem. */
export function exampleConfiguration(stack: string): Configuration {
  const { configuration, problems } = readConfigurationFile(exampleText(stack), { stack });
  if (configuration === undefined) throw new Error(JSON.stringify(problems, null, 2));
  return configuration;
}
