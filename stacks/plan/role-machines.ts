import { primaryRole, type Role, roles } from "../../model/roles";
import { type DataCenterPlan, type NodePlan, nodesOf } from "./data-center-plan";

/** Machines of the role's own pool, without those of other pools that have the role besides their own. */
export const machinesOf = (plan: DataCenterPlan, role: Role): readonly NodePlan[] =>
  nodesOf(plan, role).filter(({ roles: set }) => primaryRole(set) === role);

/** The segment of the role's own pool, whatever its size, and those of other machines that have the role. The gateway is in all. */
export function segmentsOf({ segments, nodes }: Pick<DataCenterPlan, "segments" | "nodes">, role: Role) {
  const others = nodes
    .filter(({ roles: set }) => set.includes(role) && !set.includes("gateway"))
    .map(({ interfaces }) => interfaces[0]?.segment);
  const homes = new Set([roles[role].segment, ...others]);
  return segments.filter(({ name }) => homes.has(name));
}
