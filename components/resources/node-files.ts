import * as pulumi from "@pulumi/pulumi";
import type { NodeFilesInputs } from "../../model/resource-types";
import type { ResourceArgs } from "./deep-input";
import { named } from "./named";

/** The files of a running node that may change. */
export class NodeFiles extends pulumi.CustomResource {
  declare readonly node: pulumi.Output<string>;

  constructor(name: string, args: ResourceArgs<NodeFilesInputs>, opts?: pulumi.CustomResourceOptions) {
    super("groundplane:index:NodeFiles", name, { ...args }, named(opts));
  }
}
