import type * as pulumi from "@pulumi/pulumi";
import type { NodePlan } from "../stacks/plan/data-center-plan";
import type { Foundation } from "./foundation";
import type { Gateway } from "./gateway";
import { VirtualMachine } from "./virtual-machine";

/** The dependencies of a pool's nodes beside the foundation. */
export interface PoolArgs extends Foundation {
  /** Every connection to a node goes through it. */
  readonly gateway: Gateway;
}

/** The pool's machines, which start in parallel. */
export function poolMachines(
  nodes: readonly NodePlan[],
  { plan, driver, slowdown, secrets, baseImage, network, guard }: PoolArgs,
  parent: pulumi.Resource,
): readonly VirtualMachine[] {
  const foundation = { plan, driver, slowdown, secrets, baseImage, network, guard };
  return nodes.map((node) => new VirtualMachine(node.name, { ...foundation, node }, { parent }));
}

/**
 * Updates the files of a pool one node at a time, so that a file that breaks its service, or a broken reload, never reaches the
 * whole pool.
 *
 * @param memberships of the nodes in the cluster, if any: a node is not ready before it has joined
 */
export function rollFiles(
  machines: readonly VirtualMachine[],
  { gateway }: PoolArgs,
  memberships: readonly pulumi.Resource[] = [],
): void {
  let before = gateway.files;
  machines.forEach((machine, position) => {
    before = machine.keepFiles([before, ...memberships.slice(position, position + 1)]);
  });
}
