import * as pulumi from "@pulumi/pulumi";
import type { ClusterSecretsInputs } from "../../model/resource-types";
import type { ResourceArgs } from "./deep-input";

/** All keys of a stack, created before any machine. */
export class ClusterSecrets extends pulumi.CustomResource {
  /** By `SecretName`, without those derived per node. */
  declare readonly values: pulumi.Output<Readonly<Record<string, string>>>;

  constructor(name: string, args: ResourceArgs<ClusterSecretsInputs>, opts?: pulumi.CustomResourceOptions) {
    const own: pulumi.CustomResourceOptions = { additionalSecretOutputs: ["values"] };
    super("groundplane:index:ClusterSecrets", name, { ...args, values: undefined }, pulumi.mergeOptions(own, opts));
  }
}
