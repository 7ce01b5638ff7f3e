import * as pulumi from "@pulumi/pulumi";
import type { SegmentPlan } from "../stacks/plan/data-center-plan";
import { Segment } from "./resources";

export interface NetworkArgs {
  readonly stack: string;
  /** The driver's name. */
  readonly driver: string;
  readonly segments: readonly SegmentPlan[];
  /** Machines depend on their segments, and so on it. */
  readonly guard: pulumi.Resource;
}

/** All layer-2 networks of the data centre. */
export class Network extends pulumi.ComponentResource {
  readonly segments: readonly Segment[];

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:Network", name, {}, opts);
    this.segments = args.segments.map(
      (segment) =>
        new Segment(
          `${name}-${segment.name}`,
          {
            driver: args.driver,
            stack: args.stack,
            name: segment.name,
            ...(segment.attachment ? { attachment: segment.attachment } : {}),
          },
          { parent: this, dependsOn: args.guard },
        ),
    );
    this.registerOutputs({});
  }
}
