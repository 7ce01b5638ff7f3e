import * as pulumi from "@pulumi/pulumi";
import type { DismantlingInputs } from "../../model/resource-types";
import type { ResourceArgs } from "./deep-input";
import { named } from "./named";

/** The first resource that `destroy` deletes; from then on nothing drains or guards. */
export class Dismantling extends pulumi.CustomResource {
  constructor(name: string, args: ResourceArgs<DismantlingInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:Dismantling", name, { ...args }, named(opts));
  }
}
