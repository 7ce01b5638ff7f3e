import type { MachineState } from "../../hypervisors/hypervisor";
import type { NodeImageInputs } from "../../model/node-image-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { ImageRoll, type RollSurroundings } from "./image-roll";
import { returnToFormerDisk, takeBackAlone } from "./interrupted-roll";
import { readLeft } from "./left-members";
import { isStopped } from "./moved-etcd";
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
 * @param formerRelease the version of Kubernetes that the node had before the roll; `undefined`: the same, as far as is known
 * @throws UserError `image-roll-refused` before anything is changed, `image-roll-failed`
 */
export async function rollImage(
  surroundings: RollSurroundings,
  inputs: NodeImageInputs,
  context: Context,
  formerRelease?: string,
): Promise<void> {
  const found = await machineOf(surroundings, inputs);
  const open = await readOpenRoll({ stack: inputs.stack, name: inputs.node });
  if (!needsRoll(found, open, inputs.image)) return;
  if (await isStopped(found)) {
    // Where `up` leaves out the machine; see interrupted-roll.
    const hypervisor = surroundings.driverByName(inputs.driver);
    await returnToFormerDisk(hypervisor, found, found.owner, (text) => context.log("info", text));
    await hypervisor.startMachine(found.spec);
    return rollImage(surroundings, inputs, context, formerRelease);
  }
  const { left } = open;
  const { image } = found.spec;
  const former = left?.from ?? found.formerImage ?? image;
  const roll = new ImageRoll(surroundings, inputs, context, found, former);
  if (left === undefined && found.formerImage !== undefined && image !== inputs.image) {
    // An exchange to an image that is no longer wanted.
    const failure = await roll.takeBack();
    if (failure !== "") throw new Error(failure);
    return rollImage(surroundings, inputs, context, formerRelease);
  }
  const isOnItsDisk = left === undefined && found.formerImage === undefined;
  if (isOnItsDisk && image === inputs.image) return roll.callOff();
  // A member that has left etcd is away already.
  if (isOnItsDisk) await roll.handOver(isUpgrade(inputs, formerRelease) ? inputs.release : undefined);
  try {
    await roll.exchange(inputs.image);
  } catch (error) {
    if (context.signal.aborted) {
      await takeBackAlone(surroundings.driverByName(inputs.driver), found, inputs, context);
      throw error;
    }
    const hasWayBack = former !== inputs.image && (await canReturn(inputs, formerRelease));
    const rollback = hasWayBack ? await roll.takeBack() : undefined;
    throw rollFailed(inputs, former, error, rollback);
  }
  await roll.confirm();
}

/**
 * A member of etcd that has left it joins by the cluster's configuration. After an upgrade has begun, that is no longer the one of the
 * former release, whose image is no way back then.
 */
async function canReturn(inputs: NodeImageInputs, formerRelease: string | undefined): Promise<boolean> {
  const { stack, node } = inputs;
  return !isUpgrade(inputs, formerRelease) || (await readLeft({ stack, name: node })) === undefined;
}

const isUpgrade = ({ release }: NodeImageInputs, formerRelease: string | undefined): boolean =>
  formerRelease !== undefined && formerRelease !== release;

async function machineOf({ driverByName }: RollSurroundings, { driver, stack, node }: NodeImageInputs) {
  const found = await driverByName(driver).inspectMachine({ stack, name: node });
  if (found) return found;
  throw new UserError("machine-missing", `there is no machine ${node} in ${stack}`, "run `up` again: it creates it");
}
