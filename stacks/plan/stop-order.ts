import type { DataCenterPlan, Role } from "./data-center-plan";

/** Workloads before what they live on, and last the gateway that all traffic passes. */
const order: readonly Role[] = ["worker", "storage", "master", "balancer", "gateway"];

/**
 * The machines that are present, in groups to be stopped one group after the other. Machines that the plan does not
 * know, left by an earlier configuration, go first.
 */
export function stopOrder(plan: DataCenterPlan, present: ReadonlySet<string>): readonly (readonly string[])[] {
  const planned = new Set(plan.nodes.map((node) => node.name));
  const unplanned = [...present].filter((name) => !planned.has(name)).sort();
  const groups = order.map((role) =>
    plan.nodes.filter((node) => node.role === role && present.has(node.name)).map((node) => node.name),
  );
  return [unplanned, ...groups].filter((names) => names.length > 0);
}
