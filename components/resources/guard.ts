import * as pulumi from "@pulumi/pulumi";
import type { GuardInputs } from "../../model/resource-types";
import { named } from "./named";

/** Refuses a plan that the cluster would not survive. Its arguments are plain values, because a preview needs all of them. */
export class Guard extends pulumi.CustomResource {
  constructor(name: string, args: GuardInputs, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:Guard", name, { ...args, standing: undefined }, named(opts));
  }
}
