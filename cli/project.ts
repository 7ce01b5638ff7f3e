import * as path from "node:path";
import { readIfPresent } from "../host/file-store";
import { keptRelease } from "../host/kept-release";
import { readPackageLock } from "../host/package-lock-file";
import { projectFolder, stackFile } from "../host/project-folder";
import type { ImageWishes } from "../image/checks";
import { UserError } from "../model/user-error";
import type { Configuration } from "../stacks/config/configuration";
import { describeProblems } from "../stacks/config/describe-problems";
import type { EffectiveRelease } from "../stacks/config/effective-release";
import type { ParseContext } from "../stacks/config/parse-configuration";
import { readConfigurationFile } from "../stacks/config/read-configuration-file";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import { planDataCenter } from "../stacks/plan/plan-data-center";

/**
 * The stack's configuration from its file, and the release that the stack runs where the file names none.
 * @throws UserError `no-stack-file`, `configuration` with all problems at once
 */
export const readConfiguration = async (
  stack: string,
  host: Pick<ParseContext, "hostMemoryMiB"> = {},
): Promise<Configuration> => (await readStackFile(stack, host)).configuration;

/** As `readConfiguration`. */
export const readRelease = async (stack: string): Promise<EffectiveRelease> => (await readStackFile(stack)).release;

async function readStackFile(stack: string, host: Pick<ParseContext, "hostMemoryMiB"> = {}) {
  const file = stackFile(stack);
  const text = await readIfPresent(path.join(projectFolder(), file));
  if (text === undefined) {
    throw new UserError("no-stack-file", `there is no ${file}`, "create it, or name another stack with --stack");
  }
  const result = readConfigurationFile(text, { stack, keptRelease: await keptRelease(stack), ...host });
  if (result.configuration) return result;
  throw new UserError("configuration", describeProblems(result.problems, file), `correct ${file}`);
}

export async function readPlan(stack: string): Promise<DataCenterPlan> {
  return planDataCenter(await readConfiguration(stack));
}

/**
 * What decides about a stack's images.
 * @throws UserError `package-lock`, `newer-data`
 */
export async function imageWishesOf(configuration: Configuration): Promise<ImageWishes> {
  return { ...configuration, packageLock: await readPackageLock(configuration.name) };
}

/** Only what a user wrote: the salt of the state's passphrase does not help without the state. */
export async function configurationText(stack: string): Promise<string> {
  const text = (await readIfPresent(path.join(projectFolder(), stackFile(stack)))) ?? "";
  return text.replace(/^encryptionsalt:.*\r?\n?/m, "");
}
