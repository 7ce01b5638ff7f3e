import * as pulumi from "@pulumi/pulumi";
import type { ImageInputs } from "../../model/resource-types";
import type { ResourceArgs } from "./deep-input";
import { named } from "./named";

/** A sealed image on this host. It is verified, never changed. */
export class Image extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly digest: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<ImageInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:Image", name, { ...args, digest: undefined }, named(opts));
  }
}
