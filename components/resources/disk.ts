import * as pulumi from "@pulumi/pulumi";
import type { DiskInputs } from "../../model/resource-types";
import type { ResourceArgs } from "./deep-input";
import { named } from "./named";

/** A data disk. It outlives its machine and, unless configured otherwise, the stack. */
export class Disk extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<DiskInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:Disk", name, { ...args }, named(opts));
  }
}
