import * as pulumi from "@pulumi/pulumi";
import { formerResourceNames } from "../../model/former-names";
import type { BootstrapInputs } from "../../model/resource-types";
import type { ResourceArgs } from "./deep-input";
import { named } from "./named";

const former = formerResourceNames.Bootstrap;

/** The one-time start of the cluster on its first masters. */
export class Bootstrap extends pulumi.CustomResource {
  declare readonly bootstrappedWith: pulumi.Output<readonly string[]>;
  declare readonly clusterId: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<BootstrapInputs>, opts?: pulumi.CustomResourceOptions) {
    // Without it, the bootstrap of an existing stack would be replaced.
    const alias = { type: `groundplane:index:${former.type}`, name: former.name };
    const props = { ...args, bootstrappedWith: undefined, clusterId: undefined };
    super("groundplane:index:Bootstrap", name, props, named({ ...opts, aliases: [alias] }));
  }
}
