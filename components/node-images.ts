import * as pulumi from "@pulumi/pulumi";
import { rollTurns } from "../model/image-rolls";
import type { VirtualMachine } from "./virtual-machine";

export interface NodeImagesArgs {
  readonly machines: readonly VirtualMachine[];
  /** So many workers get an image at the same time. */
  readonly maxUnavailableWorkers: number;
  /** Everything that a node needs to be ready. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * Brings the images of the plan to nodes that have others, one turn of nodes after the other. A node that does not work with its new image
 * ends the chain.
 */
export class NodeImages extends pulumi.ComponentResource {
  constructor(
    name: string,
    { machines, maxUnavailableWorkers, after }: NodeImagesArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("groundplane:components:NodeImages", name, {}, opts);
    let before = after;
    for (const turn of rollTurns(machines, maxUnavailableWorkers)) {
      const earlier = before;
      before = turn.map((machine) => {
        const others = turn.filter((other) => other !== machine);
        return machine.followImage(this, earlier, others);
      });
    }
    this.registerOutputs({});
  }
}
