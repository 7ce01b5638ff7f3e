import * as path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { DataCenter } from "../components/data-center";
import { refuseNewerData } from "../host/data-version";
import { keptRelease } from "../host/kept-release";
import { localHost } from "../host/local-host";
import { readPackageLock } from "../host/package-lock-file";
import { chooseDriver, driverSurroundings, slowdownOf } from "../hypervisors/choice/choose-driver";
import type { AuthorityFiles } from "../model/cluster-secrets-types";
import { forStack } from "../model/next-step";
import { refuseEmptyPassphrase } from "../model/passphrase";
import { UserError } from "../model/user-error";
import type { Configuration } from "./config/configuration";
import { newerReleaseOf } from "./plan/kept-releases";
import { planDataCenter } from "./plan/plan-data-center";
import { readStackConfig } from "./read-stack-config";

/** What Pulumi runs: read, plan, build, outputs. */
async function buildStack() {
  refuseEmptyPassphrase(process.env);
  await refuseNewerData();
  const { configuration, release } = readStackConfig(await keptRelease(pulumi.getStack()));
  const surroundings = await driverSurroundings(localHost, configuration.name);
  const { driver } = await chooseDriver(configuration.driver, surroundings);
  const slowdown = await slowdownOf(driver, surroundings);
  const plan = planDataCenter(configuration);
  const newer = pulumi.runtime.isDryRun() ? newerReleaseOf(plan, driver, release) : undefined;
  if (newer !== undefined) void pulumi.log.info(newer);
  const packageLock = await readPackageLock(plan.stack);
  const authority = filesOfAuthority(configuration);
  return new DataCenter(plan.stack, { plan, driver, slowdown, packageLock, authority }).outputs;
}

/** Paths begin at the folder of the project, in which Pulumi runs the program but need not run the provider. */
function filesOfAuthority({ secrets: { authority } }: Configuration): AuthorityFiles | undefined {
  return authority && { certificate: path.resolve(authority.certificate), key: path.resolve(authority.key) };
}

/** A problem of the user's gets its text shown, without the stack of calls that found it. */
async function withReadableProblems<T>(build: () => Promise<T>): Promise<T> {
  try {
    return await build();
  } catch (error) {
    if (error instanceof UserError) throw new pulumi.RunError(forStack(error.message, pulumi.getStack()));
    throw error;
  }
}

// Pulumi calls a program that is a function, and takes what it gives as the stack's outputs.
export = () => withReadableProblems(buildStack);
