import { type DriverName, drivers } from "../model/drivers";
import type { BootstrapMember, GuestConnection } from "../model/resource-types";
import type { DataCenterPlan, NodePlan } from "../stacks/plan/data-center-plan";
import type { ResourceArgs } from "./resources";
import type { Secrets } from "./secrets";

/** The provider's access to a node: through the gateway's port on this host, with both host keys pinned. */
export function guestConnection(plan: DataCenterPlan, node: NodePlan, secrets: Secrets): ResourceArgs<GuestConnection> {
  return {
    bastionPort: plan.hostPorts.ssh,
    bastionHostKey: secrets.hostKeyOf("gateway"),
    address: node.address,
    hostKey: secrets.hostKeyOf(node.name),
    privateKey: secrets.get("ssh-user-key"),
  };
}

/** A master as an input of `Bootstrap` and `Membership`. */
export function bootstrapMember(
  plan: DataCenterPlan,
  master: NodePlan,
  secrets: Secrets,
): ResourceArgs<BootstrapMember> {
  return { name: master.name, address: master.address, connection: guestConnection(plan, master, secrets) };
}

/** Simulated guests answer within the provider; no command over SSH reaches them. Tests simulate those of any driver. */
export const areGuestsSimulated = (driver: DriverName): boolean =>
  drivers[driver].simulated || process.env.GROUNDPLANE_GUESTS === "simulated";
