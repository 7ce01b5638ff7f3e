import { type Role, roles } from "../../model/roles";
import type { DataCenterPlan } from "./data-center-plan";

const stopOrderOf = (set: readonly Role[]): number => Math.max(...set.map((role) => roles[role].stopOrder));

/** Workloads before what they depend on, and last the gateway, which all traffic passes. */
const turns = [...new Set(Object.values(roles).map(({ stopOrder }) => stopOrder))].sort((one, other) => one - other);

/**
 * The machines that are present, in groups to be stopped one group after the other. Machines that the plan does not
 * know, left by an earlier configuration, go first.
 */
export function stopOrder(plan: DataCenterPlan, present: ReadonlySet<string>): readonly (readonly string[])[] {
  const planned = new Set(plan.nodes.map((node) => node.name));
  const unplanned = [...present].filter((name) => !planned.has(name)).sort();
  const groups = turns.map((turn) =>
    plan.nodes.filter((node) => stopOrderOf(node.roles) === turn && present.has(node.name)).map((node) => node.name),
  );
  return [unplanned, ...groups].filter((names) => names.length > 0);
}
