import * as pulumi from "@pulumi/pulumi";
import { inRollOrder } from "../model/image-rolls";
import type { VirtualMachine } from "./virtual-machine";

export interface NodeImagesArgs {
  readonly machines: readonly VirtualMachine[];
  /** Everything that a node needs to be ready. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * Brings the images of the plan to nodes that have others, one node after the other. A node that does not work with its new image ends
 * the chain.
 */
export class NodeImages extends pulumi.ComponentResource {
  constructor(name: string, { machines, after }: NodeImagesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:NodeImages", name, {}, opts);
    let before = after;
    for (const machine of inRollOrder(machines)) before = [machine.followImage(this, before)];
    this.registerOutputs({});
  }
}
