import { actingRole } from "../../model/roles";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { firstInterface, segmentOf } from "../network-config";
import { envLine } from "../quoting";

/** node.env: the variables for the guest's scripts, read by shells and by systemd. */
export function renderNodeEnv(
  plan: DataCenterPlan,
  node: NodePlan,
  roleVariables: Readonly<Record<string, string>>,
): string {
  const nic = firstInterface(node);
  const variables: Record<string, string> = {
    STACK: plan.stack,
    DOMAIN: plan.domain,
    NODE_NAME: node.name,
    NODE_ROLE: actingRole(node.roles),
    NODE_ADDRESS: node.address,
    NODE_INTERFACE: nic.name,
    GATEWAY_ADDRESS: segmentOf(plan, nic).gateway,
    API_NAME: `api.${plan.domain}`,
    API_ADDRESS: plan.balancing.floatingIp,
    API_PORT: String(plan.balancing.port),
    MASTER_NAMES: nodesOf(plan, "master")
      .map(({ name }) => name)
      .join(" "),
  };
  for (const name of Object.keys(roleVariables)) {
    if (name in variables) throw new Error(`a role of ${node.name} sets ${name}, which every node has already`);
  }
  return Object.entries({ ...variables, ...roleVariables })
    .map(([name, value]) => envLine(name, value))
    .join("");
}
