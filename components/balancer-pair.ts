import * as pulumi from "@pulumi/pulumi";
import { machinesOf } from "../stacks/plan/role-machines";
import { type PoolArgs, poolMachines, rollFiles } from "./machine-pool";
import { rotateCorosyncKey } from "./rotate-corosync-key";
import type { VirtualMachine } from "./virtual-machine";

/** The load balancers of the API, one of which holds the floating IP; `small` has only one. None where masters or the gateway are the balancers. */
export class BalancerPair extends pulumi.ComponentResource {
  readonly machines: readonly VirtualMachine[];
  /** The files that those of the masters follow. */
  readonly files: pulumi.Resource;

  constructor(name: string, args: PoolArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:BalancerPair", name, {}, opts);
    this.machines = poolMachines(machinesOf(args.plan, "balancer"), args, this);
    rotateCorosyncKey(args, this.machines, this);
    this.files = rollFiles(this.machines, args);
    this.registerOutputs({});
  }
}
