import type { MachineState } from "../../hypervisors/hypervisor";
import type { NodeImageInputs } from "../../model/node-image-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { ImageRoll, type RollSurroundings } from "./image-roll";
import { type OpenRoll, readOpenRoll } from "./open-roll";
import { rollFailed } from "./roll-errors";

/** Whether the machine has another image, or a roll of it is under way. */
export const needsRoll = ({ spec, formerImage }: MachineState, open: OpenRoll, image: string): boolean =>
  spec.image !== image || formerImage !== undefined || open.left !== undefined || open.isHandedOver;

/**
 * Brings a node to an image: waits until it and its cluster are healthy, hands its work over, exchanges its system disk, and waits until
 * it works again. Otherwise the former disk returns, and the roll ends. The driver's record and the stack's folder tell how far it came, so
 * that it may be killed at any point and run again.
 *
 * @throws UserError `image-roll-refused` before anything is changed, `image-roll-failed`
 */
export async function rollImage(
  surroundings: RollSurroundings,
  inputs: NodeImageInputs,
  context: Context,
): Promise<void> {
  const found = await machineOf(surroundings, inputs);
  const open = await readOpenRoll({ stack: inputs.stack, name: inputs.node });
  if (!needsRoll(found, open, inputs.image)) return;
  const { left } = open;
  const { image } = found.spec;
  const former = left?.from ?? found.formerImage ?? image;
  const roll = new ImageRoll(surroundings, inputs, context, found, former);
  if (left === undefined && found.formerImage !== undefined && image !== inputs.image) {
    // An exchange to an image that is no longer wanted.
    const failure = await roll.takeBack();
    if (failure !== "") throw new Error(failure);
    return rollImage(surroundings, inputs, context);
  }
  const isOnItsDisk = left === undefined && found.formerImage === undefined;
  if (isOnItsDisk && image === inputs.image) return roll.callOff();
  // A member that has left etcd is away already.
  if (isOnItsDisk) await roll.handOver();
  try {
    await roll.exchange(inputs.image);
  } catch (error) {
    if (context.signal.aborted) throw error;
    // It cannot go back where it is.
    const rollback = former === inputs.image ? undefined : await roll.takeBack();
    throw rollFailed(inputs, former, error, rollback);
  }
  await roll.confirm();
}

async function machineOf({ driverByName }: RollSurroundings, { driver, stack, node }: NodeImageInputs) {
  const found = await driverByName(driver).inspectMachine({ stack, name: node });
  if (found) return found;
  throw new UserError("machine-missing", `there is no machine ${node} in ${stack}`, "run `up` again: it creates it");
}
