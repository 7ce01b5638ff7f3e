import { readJson } from "../../host/file-store";
import { restoreFilesOf } from "../../host/restore-mark";
import type { DriverByName } from "../../hypervisors/driver-by-name";
import type { StackObject } from "../../hypervisors/hypervisor";
import type { ClusterSecretsInputs, ClusterSecretsOutputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import { UNKNOWN } from "../rpc/property-values";
import type { CheckFailure } from "../rpc/resource-handler";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** All keys of a stack: stored in the state only, encrypted. */
export function clusterSecretsResource(
  driverByName: DriverByName,
  driverOfStack: (stack: string) => Promise<string | undefined>,
): TypedResource<ClusterSecretsInputs, ClusterSecretsOutputs> {
  return {
    schema: {
      description: "All keys of a stack, created once; a higher version recreates all of them.",
      inputs: { stack: schemas.stack, version: schemas.whole() },
      outputs: { values: { type: "map", values: schemas.text(), secret: true, description: "By name." } },
    },
    replaceOn: ["stack"],
    refreshBeforeUpdate: false,
    alwaysSecret: ["values"],

    async check({ stack }, _context, olds) {
      if (olds) return [];
      const driver = await driverOfStack(stack);
      const objects = driver === undefined ? [] : await driverByName(driver).listObjects(stack);
      const machines = objects.filter(({ kind, owner }) => kind === "machine" && owner?.stack === stack);
      return machines.length === 0 ? [] : [lostKeys(stack, machines)];
    },

    async create(inputs, preview) {
      return {
        id: `${inputs.stack}/secrets`,
        outputs: { ...inputs, values: preview ? UNKNOWN : await firstKeys(inputs.stack) },
      };
    },

    async update(_id, inputs, { outputs }, preview) {
      if (inputs.version < outputs.version) throw oldVersion(inputs.version, outputs.version);
      if (inputs.version === outputs.version) return { ...inputs, values: outputs.values };
      return { ...inputs, values: preview ? UNKNOWN : await newKeys() };
    },

    async delete() {
      // Removed with the state.
    },
  };
}

/** Those of the backup that is being restored, if there is one. */
const firstKeys = async (stack: string): Promise<Record<string, string>> =>
  (await readJson<Record<string, string>>(restoreFilesOf(stack).keys)) ?? newKeys();

/** Loaded lazily: the certificate library would slow down the provider's start in every command. */
async function newKeys(): Promise<Record<string, string>> {
  const { makeClusterKeys } = await import("./cluster-keys");
  return makeClusterKeys();
}

/**
 * Keys come before machines, so a stack whose machines exist while its keys do not has lost its state. Its machines would be
 * adopted, because owner and URN are the same, and get keys that they never read.
 */
const lostKeys = (stack: string, machines: readonly StackObject[]): CheckFailure => ({
  property: "",
  reason:
    `Pulumi's state has no keys of ${stack}, but this host has its machines ${machines.map(({ name }) => name).join(", ")}, ` +
    "which work with other keys. Restore the state (its backend, `pulumi stack import`), or remove them: " +
    "`npx groundplane destroy --lost-state`; data disks stay",
});

const oldVersion = (wanted: number, present: number): UserError =>
  new UserError(
    "secrets-version",
    `the secrets have version ${present}; the earlier version ${wanted} no longer exists`,
    `set the version to ${present} to keep them, or to ${present + 1} for new ones`,
  );
