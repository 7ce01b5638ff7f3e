import type * as pulumi from "@pulumi/pulumi";
import { isClusterNode } from "../model/roles";
import { etcdMachinesOf, type NodePlan, nodesOf } from "../stacks/plan/data-center-plan";
import { bootstrapMember, guestConnection } from "./guest-connection";
import type { PoolArgs } from "./machine-pool";
import { Membership } from "./resources";
import { timeLimits } from "./time-limits";
import type { VirtualMachine } from "./virtual-machine";

export interface ClusterMembershipArgs extends PoolArgs {
  readonly node: NodePlan;
  readonly machine: VirtualMachine;
  /** Resources that must exist before the node joins. */
  readonly after: readonly pulumi.Resource[];
}

/** The cluster membership of a master, worker or etcd machine. */
export function clusterMembership(args: ClusterMembershipArgs, parent: pulumi.Resource): Membership {
  const { node, plan } = args;
  // Beside the masters' etcd, another member learns of the cluster from them.
  const machines = etcdMachinesOf(plan);
  const masters = isClusterNode(node.roles) || machines.length === 0 ? nodesOf(plan, "master") : machines;
  return new Membership(
    `${node.name}-membership`,
    {
      driver: args.driver,
      stack: plan.stack,
      node: node.name,
      roles: node.roles,
      connection: guestConnection(args, node),
      masters: masters.map((master) => bootstrapMember(args, master)),
      generation: args.machine.machine.generation,
      podGraceSeconds: plan.kubernetes.podGraceSeconds,
    },
    {
      parent,
      // The gateway needs the node's name and lease before the node joins the cluster.
      dependsOn: [args.machine.machine, args.gateway.files, ...args.after],
      customTimeouts: timeLimits(args.slowdown, {
        ...{ create: 15, update: 15 },
        delete: 10 + Math.ceil(plan.kubernetes.podGraceSeconds / 60),
      }),
    },
  );
}
