import { forgetGuest } from "../../guests/guest-ssh";
import type { Hypervisor, MachineState, Owner } from "../../hypervisors/hypervisor";
import type { NodeImageInputs } from "../../model/node-image-types";
import { isClusterNode, type Role, storedRoles } from "../../model/roles";
import type { Context } from "../rpc/resource-handler";
import { readLeft } from "./left-members";
import { messageOf } from "./roll-errors";

/** A difference of the machine, so that the next `up` begins with it. */
export const interruptedRoll = "a roll to another image was interrupted; its former system disk returns first";

/** Of a storage machine with others, too: it is the same copy of the volume from either disk. */
const returning: readonly Role[] = ["gateway", "balancer", "storage"];

/**
 * Whether a roll of a node was killed that others are reached through, or that has the only copy of the volume. If its new disk does not work, nothing that asks a node works, and
 * the node's own image is the last of it. So its former disk returns before any node is asked, and the roll starts again in its turn.
 */
export async function isReturnPending({ spec, formerImage }: MachineState): Promise<boolean> {
  const roles = storedRoles(spec);
  if (formerImage === undefined || isClusterNode(roles)) return false;
  if (!returning.some((role) => roles.includes(role))) return false;
  // The former disk of a member that has left etcd must never run.
  return (await readLeft(spec)) === undefined;
}

/** It does not wait for the guest. */
export async function returnToFormerDisk(
  hypervisor: Hypervisor,
  machine: MachineState,
  owner: Owner,
  log: (text: string) => void,
): Promise<MachineState> {
  if (!hypervisor.systemDisks || !(await isReturnPending(machine))) return machine;
  log(`${machine.spec.name}: ${interruptedRoll}`);
  return hypervisor.systemDisks.restoreSystemDisk(machine.spec, owner);
}

/** After a cancellation: a node that works alone is not left on a disk that may not work. It does not wait for the guest. */
export async function takeBackAlone(
  hypervisor: Hypervisor,
  { spec, owner }: MachineState,
  { node, connection, alone = [] }: NodeImageInputs,
  { log }: Context,
): Promise<void> {
  if (alone.length === 0 || (await readLeft(spec))) return;
  try {
    await hypervisor.systemDisks?.restoreSystemDisk(spec, owner);
    forgetGuest(connection);
    await hypervisor.startMachine(spec);
  } catch (error) {
    log("warning", `${node}: its former system disk has not returned: ${messageOf(error)}`);
  }
}
