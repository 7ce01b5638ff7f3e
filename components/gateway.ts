import * as pulumi from "@pulumi/pulumi";
import { nodesOf } from "../stacks/plan/data-center-plan";
import type { Foundation } from "./foundation";
import type { NodeFiles } from "./resources";
import { VirtualMachine } from "./virtual-machine";

/** The machine for routing, filtering and DNS, and the bastion of all others. */
export class Gateway extends pulumi.ComponentResource {
  readonly machine: VirtualMachine;
  /** They include the names and leases of all nodes. */
  readonly files: NodeFiles;

  constructor(name: string, args: Foundation, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:Gateway", name, {}, opts);
    const [node] = nodesOf(args.plan, "gateway");
    if (!node) throw new Error("the plan has no gateway");
    this.machine = new VirtualMachine(node.name, { ...args, node }, { parent: this });
    this.files = this.machine.keepFiles([]);
    this.registerOutputs({});
  }
}
