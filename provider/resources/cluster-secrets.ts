import type { ClusterSecretsInputs, ClusterSecretsOutputs } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import { UNKNOWN } from "../rpc/property-values";
import * as schemas from "./schemas";
import type { TypedResource } from "./typed-resource";

/** All keys of a stack: they live in the state, encrypted, and nowhere else. */
export function clusterSecretsResource(): TypedResource<ClusterSecretsInputs, ClusterSecretsOutputs> {
  return {
    schema: {
      description: "All keys of a stack, made once; a higher version makes all of them anew.",
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
      // Gone with the state.
    },
  };
}

/** Loaded when needed: the certificates' library takes a good part of the provider's start, which is on every command. */
async function newKeys(): Promise<Record<string, string>> {
  const { makeClusterKeys } = await import("./cluster-keys");
  return makeClusterKeys();
}

const oldVersion = (wanted: number, present: number): UserError =>
  new UserError(
    "secrets-version",
    `the secrets have version ${present}; version ${wanted} was before that and is gone`,
    `set the version to ${present} to keep them, or to ${present + 1} for new ones`,
  );
