import type { ClusterSecretsInputs, ClusterSecretsOutputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import { UNKNOWN } from "../rpc/property-values";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** All keys of a stack: stored in the state only, encrypted. */
export function clusterSecretsResource(): TypedResource<ClusterSecretsInputs, ClusterSecretsOutputs> {
  return {
    schema: {
      description: "All keys of a stack, created once; a higher version recreates all of them.",
      inputs: { stack: schemas.stack, version: schemas.whole() },
      outputs: { values: { type: "map", values: schemas.text(), secret: true, description: "By name." } },
    },
    replaceOn: ["stack"],
    refreshBeforeUpdate: false,
    alwaysSecret: ["values"],

    async create(inputs, preview) {
      return {
        id: `${inputs.stack}/secrets`,
        outputs: { ...inputs, values: preview ? UNKNOWN : await newKeys() },
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

/** Loaded lazily: the certificate library would slow down the provider's start in every command. */
async function newKeys(): Promise<Record<string, string>> {
  const { makeClusterKeys } = await import("./cluster-keys");
  return makeClusterKeys();
}

const oldVersion = (wanted: number, present: number): UserError =>
  new UserError(
    "secrets-version",
    `the secrets have version ${present}; the earlier version ${wanted} no longer exists`,
    `set the version to ${present} to keep them, or to ${present + 1} for new ones`,
  );
