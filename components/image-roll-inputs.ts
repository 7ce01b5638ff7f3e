import type { DriverName } from "../model/drivers";
import { evictionSeconds, keepsImage, rolesAlone } from "../model/image-rolls";
import { unlikeMeasured } from "../model/measured/unlike-measured";
import type { NodeImageInputs } from "../model/node-image-types";
import { imageKindOf, isClusterNode, type Role } from "../model/roles";
import { type DataCenterPlan, etcdMachinesOf, type NodePlan, nodesOf } from "../stacks/plan/data-center-plan";

/** What its image depends on besides the node itself. */
export function factsOfRoll(
  plan: DataCenterPlan,
  { roles }: NodePlan,
  driver: DriverName,
): Pick<NodeImageInputs, "keeps" | "alone" | "unlike" | "etcd"> {
  const countOf = (role: Role): number => nodesOf(plan, role).length;
  const keeps = keepsImage(roles, countOf, driver);
  const etcd = roles.includes("etcd") && { etcd: nodesOf(plan, "etcd").map(({ name }) => name) };
  if (keeps !== undefined) return { keeps, ...etcd };
  const alone = rolesAlone(roles, countOf);
  const unlike = unlikeMeasured(roles, driver, plan.settings);
  return { ...(alone.length > 0 && { alone }), ...(unlike !== undefined && { unlike }), ...etcd };
}

/** How long a roll may take before the engine ends it. */
export function minutesOfRoll(
  { roles }: NodePlan,
  alone: readonly Role[],
  others: number,
  podGraceSeconds: number,
): number {
  // A part of it is how long a disk that does not work may interrupt others.
  if (alone.length > 0 && imageKindOf(roles) === "infrastructure") return 8;
  // Its pods end when it is drained and when it shuts down. Nodes that change at the same time wait for each other's budgets.
  const sharedSeconds = evictionSeconds(others + 1) - evictionSeconds(1);
  return 15 + 2 * Math.ceil(podGraceSeconds / 60) + Math.ceil(sharedSeconds / 60);
}

/** Through which a node leaves and joins its cluster, or a machine of etcd the members of etcd. */
export function joinedThrough(plan: DataCenterPlan, { roles }: NodePlan): readonly NodePlan[] {
  if (isClusterNode(roles)) return nodesOf(plan, "master");
  return roles.includes("etcd") ? etcdMachinesOf(plan) : [];
}

/** They do the work of the node while it is away; API servers also need etcd. Of workers, the cluster says which are healthy. */
export function peersOf(plan: DataCenterPlan, node: NodePlan): readonly NodePlan[] {
  const shared = (["balancer", "storage", "master", "etcd"] as const).filter((role) => node.roles.includes(role));
  const needed: readonly Role[] = shared.includes("etcd") ? [...shared, "master"] : shared;
  const reached = node.roles.includes("gateway") ? reachedThrough(plan) : [];
  const isPeer = (one: NodePlan): boolean => needed.some((role) => one.roles.includes(role)) || reached.includes(one);
  return plan.nodes.filter((one) => one.name !== node.name && isPeer(one));
}

/** All balancers, which need the gateway's vote when one of them is away, and one machine for each other set of routes and rules. */
function reachedThrough(plan: DataCenterPlan): readonly NodePlan[] {
  const first = ([role]: readonly Role[]) => plan.nodes.find(({ roles }) => roles[0] === role);
  return plan.nodes.filter((node) => node.roles.includes("balancer") || first(node.roles) === node);
}
