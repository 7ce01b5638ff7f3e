import type { BootstrapMember, GuestConnection } from "../model/resource-types";
import type { DataCenterPlan, NodePlan } from "../stacks/plan/data-center-plan";
import type { ResourceArgs } from "./resources/deep-input";
import type { Secrets } from "./secrets";

/** How the provider reaches a node: through the gateway's port on this host, both host keys pinned. */
export function guestConnection(plan: DataCenterPlan, node: NodePlan, secrets: Secrets): ResourceArgs<GuestConnection> {
  return {
    bastionPort: plan.hostPorts.ssh,
    bastionHostKey: secrets.hostKeyOf("gateway"),
    address: node.address,
    hostKey: secrets.hostKeyOf(node.name),
    privateKey: secrets.get("ssh-user-key"),
  };
}

/** A master as `Bootstrap` and `Membership` know it. */
export function bootstrapMember(
  plan: DataCenterPlan,
  master: NodePlan,
  secrets: Secrets,
): ResourceArgs<BootstrapMember> {
  return { name: master.name, address: master.address, connection: guestConnection(plan, master, secrets) };
}

/** Within the provider: the fake driver's always, those of another one in tests. A command over SSH finds nobody. */
export const areGuestsSimulated = (driver: string): boolean =>
  driver === "fake" || process.env.GROUNDPLANE_GUESTS === "simulated";
