import { type Role, roles } from "../../model/roles";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { confValue } from "../quoting";

const isKnownEverywhere = (set: readonly Role[]): boolean => set.some((role) => roles[role].isKnownEverywhere);

/**
 * /etc/hosts. The gateway's file has every planned node, and its DNS serves them. The files of other nodes have only the
 * essential names, so that a new worker changes no file on the other nodes.
 */
export function renderHosts(plan: DataCenterPlan, node: NodePlan): string {
  const nodes = node.roles.includes("gateway") ? plan.nodes : withEssentialNodes(plan, node);
  const lines = nodes.map(({ address, fqdn, name }) => hostLine(address, fqdn, name));
  const api = hostLine(plan.balancing.floatingIp, `api.${plan.domain}`, "api");
  return ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback", ...lines, api, ""].join("\n");
}

/** In the plan's order. */
function withEssentialNodes(plan: DataCenterPlan, node: NodePlan): readonly NodePlan[] {
  const { essential, positionOf } = placesIn(plan);
  if (isKnownEverywhere(node.roles)) return essential;
  const position = (other: NodePlan): number => positionOf.get(other.name) ?? 0;
  const before = essential.filter((other) => position(other) < position(node));
  return [...before, node, ...essential.slice(before.length)];
}

interface Places {
  /** The nodes that are known everywhere. */
  readonly essential: readonly NodePlan[];
  readonly positionOf: ReadonlyMap<string, number>;
}

const placesOf = new WeakMap<DataCenterPlan, Places>();

/** The same for each node's file: a search through all nodes for each of them would make rendering quadratic. */
function placesIn(plan: DataCenterPlan): Places {
  const places = placesOf.get(plan) ?? {
    essential: plan.nodes.filter(({ roles }) => isKnownEverywhere(roles)),
    positionOf: new Map(plan.nodes.map(({ name }, position) => [name, position])),
  };
  placesOf.set(plan, places);
  return places;
}

const hostLine = (...words: readonly string[]): string => words.map(confValue).join(" ");
