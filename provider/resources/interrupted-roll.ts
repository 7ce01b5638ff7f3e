import { forgetGuest } from "../../guests/guest-ssh";
import type { Hypervisor, MachineState, Owner } from "../../hypervisors/hypervisor";
import { shutdownMs } from "../../model/hypervisor-objects";
import type { NodeImageInputs } from "../../model/node-image-types";
import { isClusterNode, type Role, storedRoles } from "../../model/roles";
import type { Context } from "../rpc/resource-handler";
import { readLeft } from "./left-members";
import { forgetMoved, isMoving, isStopped } from "./moved-etcd";
import { messageOf } from "./roll-errors";

/** Differences of the machine, so that the next `up` begins with them. */
const returning = "a roll to another image was interrupted; its former system disk returns first";
const restarting = "a roll to another image was interrupted; it restarts first";

/** Of a storage machine with others, too: it is the same copy of the volume from either disk. */
const firstBack: readonly Role[] = ["gateway", "balancer", "storage"];

/**
 * What must happen to a node whose roll was killed before any node is asked. Others are reached through it, or it has the only copy of
 * the volume or the only control plane: if its new disk does not work, nothing that asks a node or the API works, and the node's own image is the last of it. So its former
 * disk returns, and the roll starts again in its turn. A control plane that was told to stop starts again with its machine.
 */
export async function interruption(machine: MachineState): Promise<string | undefined> {
  if (await isStopped(machine)) return restarting;
  const { spec, formerImage } = machine;
  // The former disk of a member that has left etcd must never run.
  if (formerImage === undefined || (await readLeft(spec))) return undefined;
  const roles = storedRoles(spec);
  const isNeeded = !isClusterNode(roles) && firstBack.some((role) => roles.includes(role));
  return isNeeded || (await isMoving(spec)) ? returning : undefined;
}

/** It does not wait for the guest. */
export async function returnToFormerDisk(
  hypervisor: Hypervisor,
  machine: MachineState,
  owner: Owner,
  log: (text: string) => void,
): Promise<MachineState> {
  const reason = await interruption(machine);
  if (!hypervisor.systemDisks || reason === undefined) return machine;
  const { spec } = machine;
  log(`${spec.name}: ${reason}`);
  if (reason === returning) await hypervisor.systemDisks.restoreSystemDisk(spec, owner);
  else await hypervisor.stopMachine(spec, shutdownMs(spec));
  // What was taken from the disk is outdated as soon as it runs.
  await forgetMoved(spec);
  return (await hypervisor.inspectMachine(spec)) ?? machine;
}

/** In the same process. The machine is then stopped, or has not changed. */
export async function putFormerDiskBack(hypervisor: Hypervisor, { spec, owner }: MachineState): Promise<void> {
  const present = (await isMoving(spec)) ? await hypervisor.inspectMachine(spec) : undefined;
  if (present) await returnToFormerDisk(hypervisor, present, owner, () => {});
  else await hypervisor.systemDisks?.restoreSystemDisk(spec, owner);
}

/** After a cancellation: a node that works alone is not left on a disk that may not work. It does not wait for the guest. */
export async function takeBackAlone(
  hypervisor: Hypervisor,
  found: MachineState,
  { node, connection, alone = [] }: NodeImageInputs,
  { log }: Context,
): Promise<void> {
  const { spec } = found;
  if (alone.length === 0) return;
  const present = await hypervisor.inspectMachine(spec);
  if ((await readLeft(spec)) && !(present && (await isStopped(present)))) return;
  try {
    await putFormerDiskBack(hypervisor, found);
    forgetGuest(connection);
    await hypervisor.startMachine(spec);
  } catch (error) {
    log("warning", `${node}: its former system disk has not returned: ${messageOf(error)}`);
  }
}
