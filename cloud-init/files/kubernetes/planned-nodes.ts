import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";

/** One line per Kubernetes node: `<name> <address> <role>`. Only these may have a kubelet's serving certificate. */
export function plannedNodes(plan: DataCenterPlan): string {
  return plan.nodes
    .filter((node) => node.role === "master" || node.role === "worker")
    .map((node) => `${node.name} ${node.address} ${node.role}\n`)
    .join("");
}
