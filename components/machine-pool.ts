import type * as pulumi from "@pulumi/pulumi";
import type { NodePlan } from "../stacks/plan/data-center-plan";
import type { Foundation } from "./foundation";
import type { Gateway } from "./gateway";
import { VirtualMachine } from "./virtual-machine";

/** What the nodes of a pool need beside the foundation. */
export interface PoolArgs extends Foundation {
  /** Every connection to a node passes it. */
  readonly gateway: Gateway;
}

/** The pool's machines; they come up all at once. */
export function poolMachines(
  nodes: readonly NodePlan[],
  { plan, driver, slowdown, secrets, baseImage, network, guard }: PoolArgs,
  parent: pulumi.Resource,
): readonly VirtualMachine[] {
  const foundation = { plan, driver, slowdown, secrets, baseImage, network, guard };
  return nodes.map((node) => new VirtualMachine(node.name, { ...foundation, node }, { parent }));
}

/**
 * Keeps the files of a pool, one node after the other: a file that breaks its service, or the reload itself, never
 * reaches the whole pool.
 *
 * @param memberships of the nodes in the cluster, where they have one: before it a node does not do its role's work
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
