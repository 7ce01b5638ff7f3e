import * as pulumi from "@pulumi/pulumi";
import type { MembershipInputs } from "../../model/resource-types";
import type { ResourceArgs } from "./deep-input";
import { named } from "./named";

/** One node's membership in the cluster: creation joins the node, deletion drains and removes it. */
export class Membership extends pulumi.CustomResource {
  declare readonly node: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<MembershipInputs>, opts?: pulumi.CustomResourceOptions) {
    const props = { ...args, bootstrapToken: pulumi.secret(args.bootstrapToken) };
    super("groundplane:index:Membership", name, props, named(opts));
  }
}
