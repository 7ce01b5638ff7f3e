import type * as pulumi from "@pulumi/pulumi";
import type { DataCenterPlan, NodePlan } from "../stacks/plan/data-center-plan";
import { addOnNodes } from "../stacks/plan/plan-add-ons";
import type { ContainerImages } from "./resources";
import type { VirtualMachine } from "./virtual-machine";

/**
 * Container images of add-ons, on the nodes that run their pods. None in a stack without add-ons.
 *
 * @param after when each node has the system disk of the plan
 */
export const bringAddOns = (
  plan: DataCenterPlan,
  machineOf: (node: NodePlan) => VirtualMachine,
  after: readonly pulumi.Resource[],
  parent: pulumi.Resource,
): readonly ContainerImages[] => addOnNodes(plan).flatMap((node) => machineOf(node).keepContainerImages(parent, after));
