import * as pulumi from "@pulumi/pulumi";
import { etcdMachinesOf, type NodePlan, nodesOf, witnessOf } from "../stacks/plan/data-center-plan";
import { machinesOf } from "../stacks/plan/role-machines";
import type { BalancerPair } from "./balancer-pair";
import { clusterMembership } from "./cluster-membership";
import { bootstrapMember } from "./guest-connection";
import { type PoolArgs, poolMachines, rollFiles } from "./machine-pool";
import { Bootstrap, type Membership } from "./resources";
import { rotateAuthorities } from "./rotate-authorities";
import { acceptKeys, replaceKeys } from "./rotate-keys";
import { timeLimits } from "./time-limits";
import { trustAdministrator } from "./trust-administrator";
import type { VirtualMachine } from "./virtual-machine";

export interface ControlPlaneArgs extends PoolArgs {
  /** Masters reach each other through the floating IP. */
  readonly balancers: BalancerPair;
  /** Makes the objects that nodes need to join. */
  readonly keepObjects: (cluster: Pick<ControlPlane, "bootstrap" | "administrators">) => readonly pulumi.Resource[];
}

/**
 * The masters with their etcd, or with the machines of etcd. Each of them has a membership. Whether it took part in the bootstrap
 * or joined later is recorded in `bootstrap` and in the cluster, not in the plan.
 */
export class ControlPlane extends pulumi.ComponentResource {
  /** In the order of the masters. The gateway's machine, where it is the master, is its own component's. */
  readonly machines: readonly VirtualMachine[];
  /** Empty where the masters are the members of etcd. */
  readonly etcdMachines: readonly VirtualMachine[];
  readonly bootstrap: Bootstrap;
  readonly memberships: readonly Membership[];
  /** API servers accept the administrator's certificate after them. */
  readonly administrators: readonly pulumi.Resource[];
  /** What nodes need to join. */
  readonly objects: readonly pulumi.Resource[];
  /** After them a node can join, besides the bootstrap. */
  readonly joinable: readonly pulumi.Resource[];
  /** When the masters have their files, and the authorities that only they have. */
  readonly complete: readonly pulumi.Resource[];

  constructor(name: string, args: ControlPlaneArgs, opts?: pulumi.ComponentResourceOptions) {
    super("groundplane:components:ControlPlane", name, {}, opts);
    const [masters, etcd] = [nodesOf(args.plan, "master"), etcdMachinesOf(args.plan)];
    const own = poolMachines(machinesOf(args.plan, "master"), args, this);
    this.machines = masters.length > own.length ? [args.gateway.machine] : own;
    this.etcdMachines = poolMachines(etcd, args, this);
    this.bootstrap = this.startCluster(masters, this.etcdMachines, args);
    const witness = witnessOf(args.plan);
    const witnesses = witness ? this.joinInTurn([witness], [args.gateway.machine], [this.bootstrap], args) : [];
    // API servers learn of a member after it has joined, and no longer know one before it leaves.
    const members = [...witnesses, ...this.joinInTurn(etcd, this.etcdMachines, [this.bootstrap], args)];
    const etcdFiles = rollFiles(this.etcdMachines, args, members);
    this.administrators = trustAdministrator(args, [this.bootstrap, etcdFiles], this);
    this.objects = args.keepObjects(this);
    // A seed has the hash of the new authority, which a cluster offers only with these objects.
    this.joinable = args.plan.rotations["kubernetes-ca"] === undefined ? [] : this.objects;
    const accepted = acceptKeys(args, [this.bootstrap, etcdFiles, ...this.administrators.slice(-1)], this);
    // A master that joins has the new keys, so that the others accept them before.
    const first = [this.bootstrap, ...this.joinable, ...members.slice(-1), ...accepted.slice(-1)];
    this.memberships = this.joinInTurn(masters, this.machines, first, args);
    const generations = this.machines.map(({ machine }) => machine.generation);
    const replaced = replaceKeys({ ...args, generations }, [...accepted.slice(-1), ...this.memberships], this);
    // A balancer that gets other files has to find a master that responds: the only one must not restart meanwhile.
    const start = [args.balancers.files, replaced.at(-1) ?? this.administrators.at(-1) ?? etcdFiles];
    const files = rollFiles(own, args, this.memberships, start);
    const machineOf = ({ name }: NodePlan): VirtualMachine =>
      this.machines[masters.findIndex((master) => master.name === name)] ?? args.gateway.machine;
    const after = [files, ...this.memberships, ...members];
    const rotated = rotateAuthorities({ ...args, authorities: ["etcd-ca", "front-proxy-ca"], machineOf, after }, this);
    this.complete = [...after, ...rotated];
    this.registerOutputs({});
  }

  private startCluster(
    masters: readonly NodePlan[],
    etcdMachines: readonly VirtualMachine[],
    args: ControlPlaneArgs,
  ): Bootstrap {
    const { plan } = args;
    const witness = witnessOf(plan);
    const needed = [args.gateway.machine, ...args.balancers.machines, ...this.machines, ...etcdMachines];
    const members = (nodes: readonly NodePlan[]) => nodes.map((node) => bootstrapMember(args, node));
    return new Bootstrap(
      "bootstrap",
      {
        stack: plan.stack,
        members: members(masters),
        ...(etcdMachines.length > 0 && { etcd: members(etcdMachinesOf(plan)) }),
        ...(witness && { witness: members([witness]) }),
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
  private joinInTurn(
    nodes: readonly NodePlan[],
    machines: readonly VirtualMachine[],
    first: readonly pulumi.Resource[],
    args: ControlPlaneArgs,
  ): readonly Membership[] {
    const memberships: Membership[] = [];
    nodes.forEach((node, position) => {
      const machine = machines[position] as VirtualMachine;
      const after = [...first, ...memberships.slice(-1)];
      memberships.push(clusterMembership({ ...args, node, machine, after }, this));
    });
    return memberships;
  }
}
