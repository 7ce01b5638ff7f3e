import * as pulumi from "@pulumi/pulumi";
import type { BirthInputs } from "../../model/resource-types";
import type { ResourceArgs } from "./deep-input";
import { named } from "./named";

/** The one-time start of the cluster on its first masters. */
export class Birth extends pulumi.CustomResource {
  declare readonly bornWith: pulumi.Output<readonly string[]>;
  declare readonly clusterId: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<BirthInputs>, opts?: pulumi.CustomResourceOptions) {
    const props = { ...args, bornWith: undefined, clusterId: undefined };
    super("groundplane:index:Birth", name, props, named(opts));
  }
}
