import * as pulumi from "@pulumi/pulumi";
import { type NodePlan, nodesOf } from "../stacks/plan/data-center-plan";
import type { BalancerPair } from "./balancer-pair";
import { clusterMembership } from "./cluster-membership";
import { bootstrapMember } from "./guest-connection";
import { type PoolArgs, poolMachines, rollFiles } from "./machine-pool";
import { Bootstrap, type Membership } from "./resources";
import { timeLimits } from "./time-limits";
import type { VirtualMachine } from "./virtual-machine";

export interface ControlPlaneArgs extends PoolArgs {
  /** Masters reach each other through the floating IP. */
  readonly balancers: BalancerPair;
}

/**
 * The masters with their etcd. Each of them has a membership. Whether it took part in the bootstrap or joined later is
 * recorded in `bootstrap` and in the cluster, not in the plan.
 */
export class ControlPlane extends pulumi.ComponentResource {
  readonly machines: readonly VirtualMachine[];
  readonly bootstrap: Bootstrap;
  readonly memberships: readonly Membership[];

  constructor(name: string, args: ControlPlaneArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:ControlPlane", name, {}, opts);
    const masters = nodesOf(args.plan, "master");
    this.machines = poolMachines(masters, args, this);
    this.bootstrap = this.startCluster(masters, args);
    this.memberships = this.joinInTurn(masters, args);
    rollFiles(this.machines, args, this.memberships);
    this.registerOutputs({});
  }

  private startCluster(masters: readonly NodePlan[], args: ControlPlaneArgs): Bootstrap {
    const { plan, secrets } = args;
    const needed = [args.gateway.machine, ...args.balancers.machines, ...this.machines];
    return new Bootstrap(
      "bootstrap",
      {
        stack: plan.stack,
        members: masters.map((master) => bootstrapMember(plan, master, secrets)),
        rebootstrap: plan.kubernetes.rebootstrap,
      },
      {
        parent: this,
        // Machines only: the seed contains every file that a new machine needs.
        dependsOn: needed.map((node) => node.machine),
        customTimeouts: timeLimits(args.slowdown, { create: 15, update: 15 }),
      },
    );
  }

  /** etcd adds and removes one member at a time. */
  private joinInTurn(masters: readonly NodePlan[], args: ControlPlaneArgs): readonly Membership[] {
    const memberships: Membership[] = [];
    masters.forEach((master, position) => {
      const machine = this.machines[position] as VirtualMachine;
      const after = [this.bootstrap, ...memberships.slice(-1)];
      memberships.push(clusterMembership({ ...args, node: master, machine, after }, this));
    });
    return memberships;
  }
}
