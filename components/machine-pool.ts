import type * as pulumi from "@pulumi/pulumi";
import { type Role, roles } from "../model/roles";
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
 * Updates the files of a pool in the way that the table of roles says. One node at a time, a file that breaks its service,
 * or a broken reload, never reaches the whole pool.
 *
 * @param memberships of the nodes in the cluster, if any: a node is not ready before it has joined
 * @param start files that precede those of the pool
 * @returns the files that those of another pool follow
 */
export function rollFiles(
  machines: readonly VirtualMachine[],
  { gateway }: PoolArgs,
  memberships: readonly pulumi.Resource[] = [],
  start: readonly pulumi.Resource[] = [],
): pulumi.Resource {
  let before: readonly pulumi.Resource[] = start.length > 0 ? start : [gateway.files];
  machines.forEach((machine, position) => {
    const files = machine.keepFiles([...before, ...memberships.slice(position, position + 1)]);
    if (rollsInTurn(machine.roles)) before = [files];
  });
  return before.at(-1) ?? gateway.files;
}

const rollsInTurn = (set: readonly Role[]): boolean => set.some((role) => roles[role].roll === "in-turn");
