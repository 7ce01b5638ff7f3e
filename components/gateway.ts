import * as pulumi from "@pulumi/pulumi";
import { nodesOf } from "../stacks/plan/data-center-plan";
import type { Foundation } from "./foundation";
import { VirtualMachine } from "./virtual-machine";

/** The machine that routes, filters and names, and the way to all others. */
export class Gateway extends pulumi.ComponentResource {
  readonly machine: VirtualMachine;

  constructor(name: string, args: Foundation, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:Gateway", name, {}, opts);
    const [node] = nodesOf(args.plan, "gateway");
    if (!node) throw new Error("the plan has no gateway");
    this.machine = new VirtualMachine(node.name, { ...args, node, filesAfter: [] }, { parent: this });
    this.registerOutputs({});
  }
}
