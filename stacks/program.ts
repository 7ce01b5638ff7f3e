import * as pulumi from "@pulumi/pulumi";
import { DataCenter } from "../components/data-center";
import { UserError } from "../provider/host/user-error";
import { chooseDriver, driverSurroundings } from "./choose-driver";
import { readStackConfig } from "./config/read-stack-config";
import { planDataCenter } from "./plan/plan-data-center";

/** What Pulumi runs: read, plan, build, outputs. */
function buildStack() {
  const configuration = readStackConfig();
  const { driver } = chooseDriver(configuration.driver, driverSurroundings());
  const plan = planDataCenter(configuration);
  return new DataCenter(plan.stack, { plan, driver }).outputs;
}

/** A problem of the user's gets its text shown, without the stack of calls that found it. */
function withReadableProblems<T>(build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof UserError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

export const { apiEndpoint, clusterEndpoint, kubeconfig, gatewaySsh, sshPrivateKey, inventory, knownHosts } =
  withReadableProblems(buildStack);
