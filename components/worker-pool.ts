import * as pulumi from "@pulumi/pulumi";
import { machinesOf } from "../stacks/plan/role-machines";
import { clusterMembership } from "./cluster-membership";
import { type PoolArgs, poolMachines, rollFiles } from "./machine-pool";
import type { Membership } from "./resources";
import type { VirtualMachine } from "./virtual-machine";

export interface WorkerPoolArgs extends PoolArgs {
  /** The cluster to join, and what precedes a join. */
  readonly cluster: readonly pulumi.Resource[];
}

/** The machines that only run pods. */
export class WorkerPool extends pulumi.ComponentResource {
  readonly machines: readonly VirtualMachine[];
  readonly memberships: readonly Membership[];

  constructor(name: string, args: WorkerPoolArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:WorkerPool", name, {}, opts);
    const workers = machinesOf(args.plan, "worker");
    this.machines = poolMachines(workers, args, this);
    this.memberships = workers.map((worker, position) => {
      const machine = this.machines[position] as VirtualMachine;
      return clusterMembership({ ...args, node: worker, machine, after: args.cluster }, this);
    });
    rollFiles(this.machines, args, this.memberships);
    this.registerOutputs({});
  }
}
