import type * as pulumi from "@pulumi/pulumi";
import type { NodePlan } from "../stacks/plan/data-center-plan";
import type { Foundation } from "./foundation";
import { VirtualMachine } from "./virtual-machine";

/** What the nodes of a pool need beside the foundation. */
export interface PoolArgs extends Foundation {
  /** The gateway: every connection to a node passes it. */
  readonly gateway: VirtualMachine;
}

/** The pool's machines, all at once; their files too. */
export function machinesAtOnce(
  nodes: readonly NodePlan[],
  args: PoolArgs,
  parent: pulumi.Resource,
): readonly VirtualMachine[] {
  return nodes.map((node) => new VirtualMachine(node.name, machineOf(args, node, [args.gateway.files]), { parent }));
}

/**
 * The pool's machines, all at once, but their files one node after the other: a file that breaks its service, or the
 * reload itself, never reaches the whole pool.
 */
export function machinesRolling(
  nodes: readonly NodePlan[],
  args: PoolArgs,
  parent: pulumi.Resource,
): readonly VirtualMachine[] {
  const machines: VirtualMachine[] = [];
  for (const node of nodes) {
    const before = machines.at(-1) ?? args.gateway;
    machines.push(new VirtualMachine(node.name, machineOf(args, node, [before.files]), { parent }));
  }
  return machines;
}

function machineOf(args: PoolArgs, node: NodePlan, filesAfter: readonly pulumi.Resource[]) {
  const { plan, driver, secrets, baseImage, network } = args;
  return { plan, driver, secrets, baseImage, network, node, filesAfter };
}
