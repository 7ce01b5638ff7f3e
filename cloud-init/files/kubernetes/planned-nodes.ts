import { actingRole, isClusterNode } from "../../../model/roles";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";

/** One line per Kubernetes node: `<name> <address> <role>`. Only these nodes get a kubelet serving certificate. */
export function plannedNodes(plan: DataCenterPlan): string {
  return plan.nodes
    .filter(({ roles }) => isClusterNode(roles))
    .map((node) => `${node.name} ${node.address} ${actingRole(node.roles)}\n`)
    .join("");
}
