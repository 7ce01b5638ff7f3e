import * as pulumi from "@pulumi/pulumi";
import type { SegmentInputs } from "../../model/resource-types";
import type { ResourceArgs } from "./deep-input";
import { named } from "./named";

/** One layer-2 network. */
export class Segment extends pulumi.CustomResource {
  // `declare`: a plain field would be initialised after the base class has set it, and lose its value.
  declare readonly name: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<SegmentInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:Segment", name, { ...args }, named(opts));
  }
}
