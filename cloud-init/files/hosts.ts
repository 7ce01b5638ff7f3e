import { type Role, roles } from "../../model/roles";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { confValue } from "../quoting";

const isKnownEverywhere = (set: readonly Role[]): boolean => set.some((role) => roles[role].isKnownEverywhere);

/**
 * /etc/hosts. The gateway's file has every planned node, and its DNS serves them. The files of other nodes have only the
 * essential names, so that a new worker changes no file on the other nodes.
 */
export function renderHosts(plan: DataCenterPlan, node: NodePlan): string {
  const nodes = plan.nodes
    .filter((other) => node.roles.includes("gateway") || other.name === node.name || isKnownEverywhere(other.roles))
    .map(({ address, fqdn, name }) => hostLine(address, fqdn, name));
  const api = hostLine(plan.balancing.floatingIp, `api.${plan.domain}`, "api");
  return ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback", ...nodes, api, ""].join("\n");
}

const hostLine = (...words: readonly string[]): string => words.map(confValue).join(" ");
