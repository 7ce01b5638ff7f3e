import type { types } from "@pulumi/command";
import { ports } from "../model/ports";
import type { DataCenterPlan, NodePlan } from "../stacks/plan/data-center-plan";
import type { Secrets } from "./secrets";

/** The connection of @pulumi/command to a node: through the gateway's port on this host, with both host keys pinned. */
export function remoteConnection(
  plan: DataCenterPlan,
  node: NodePlan,
  secrets: Secrets,
): types.input.remote.ConnectionArgs {
  const user = { user: "root", privateKey: secrets.get("ssh-user-key") };
  const patience = { dialErrorLimit: 30, perDialTimeout: 5 };
  const proxy = { host: "127.0.0.1", port: plan.hostPorts.ssh, hostKey: secrets.hostKeyOf("gateway") };
  return {
    ...user,
    ...patience,
    host: node.address,
    port: ports.ssh,
    hostKey: secrets.hostKeyOf(node.name),
    proxy: { ...user, ...patience, ...proxy },
  };
}
