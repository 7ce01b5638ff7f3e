import { type DriverName, drivers } from "../model/drivers";
import type { BootstrapMember, GuestConnection } from "../model/resource-types";
import type { NodePlan } from "../stacks/plan/data-center-plan";
import type { Foundation } from "./foundation";
import type { ResourceArgs } from "./resources";

type Needed = Pick<Foundation, "plan" | "secrets" | "slowdown">;

/** The provider's access to a node: through the gateway's port on this host, with both host keys pinned. */
export function guestConnection({ plan, secrets, slowdown }: Needed, node: NodePlan): ResourceArgs<GuestConnection> {
  return {
    bastionPort: plan.hostPorts.ssh,
    bastionHostKey: secrets.hostKeyOf("gateway"),
    address: node.address,
    hostKey: secrets.hostKeyOf(node.name),
    privateKey: secrets.get("ssh-user-key"),
    ...inputOfSlowdown(slowdown),
  };
}

/** A master as an input of `Bootstrap` and `Membership`. */
export function bootstrapMember(needed: Needed, master: NodePlan): ResourceArgs<BootstrapMember> {
  return { name: master.name, address: master.address, connection: guestConnection(needed, master) };
}

/** Machines of native speed have no such input, so that the states of their stacks stay the same. */
export const inputOfSlowdown = (slowdown: number) => (slowdown === 1 ? {} : { slowdown });

/** Simulated guests answer within the provider; no command over SSH reaches them. Tests simulate those of any driver. */
export const areGuestsSimulated = (driver: DriverName): boolean =>
  drivers[driver].simulated || process.env.GROUNDPLANE_GUESTS === "simulated";
