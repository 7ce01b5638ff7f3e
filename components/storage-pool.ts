import * as pulumi from "@pulumi/pulumi";
import { nodesOf } from "../stacks/plan/data-center-plan";
import { type PoolArgs, poolMachines, rollFiles } from "./machine-pool";
import type { VirtualMachine } from "./virtual-machine";

/** The machines with the data disks. */
export class StoragePool extends pulumi.ComponentResource {
  readonly machines: readonly VirtualMachine[];

  constructor(name: string, args: PoolArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:StoragePool", name, {}, opts);
    this.machines = poolMachines(nodesOf(args.plan, "storage"), args, this);
    rollFiles(this.machines, args);
    this.registerOutputs({});
  }
}
