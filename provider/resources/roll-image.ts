import type { MachineState } from "../../hypervisors/hypervisor";
import type { NodeImageInputs } from "../../model/node-image-types";
import { UserError } from "../../model/user-error";
import type { Context } from "../rpc/resource-handler";
import { ImageRoll, messageOf, type RollSurroundings } from "./image-roll";

/** Whether the machine has another image, or an exchange of its disk is under way. */
export const needsRoll = ({ spec, formerImage }: MachineState, image: string): boolean =>
  spec.image !== image || formerImage !== undefined;

/**
 * Brings a node to an image: waits until it and its cluster are healthy, hands its work over, exchanges its system disk, and waits until
 * it works again. Otherwise the former disk returns, and the roll ends. The driver's record tells how far it came, so that it may be
 * killed at any point and run again.
 *
 * @throws UserError `image-roll-refused` before anything is changed, `image-roll-failed`
 */
export async function rollImage(
  surroundings: RollSurroundings,
  inputs: NodeImageInputs,
  context: Context,
): Promise<void> {
  const found = await machineOf(surroundings, inputs);
  if (!needsRoll(found, inputs.image)) return;
  const roll = new ImageRoll(surroundings, inputs, context, found);
  // An exchange to an image that is no longer wanted.
  if (found.formerImage !== undefined && found.spec.image !== inputs.image) {
    const failure = await roll.takeBack();
    if (failure !== "") throw new Error(failure);
    return rollImage(surroundings, inputs, context);
  }
  if (found.formerImage === undefined) await roll.handOver();
  try {
    await roll.exchange();
  } catch (error) {
    if (context.signal.aborted) throw error;
    throw rollFailed(inputs, found.formerImage ?? found.spec.image, error, await roll.takeBack());
  }
  await roll.confirm();
}

async function machineOf({ driverByName }: RollSurroundings, { driver, stack, node }: NodeImageInputs) {
  const found = await driverByName(driver).inspectMachine({ stack, name: node });
  if (found) return found;
  throw new UserError("machine-missing", `there is no machine ${node} in ${stack}`, "run `up` again: it creates it");
}

function rollFailed({ node, image }: NodeImageInputs, former: string, error: unknown, rollback: string): UserError {
  const now =
    rollback === "" ? `it has its former image ${former} again` : `its return to ${former} failed: ${rollback}`;
  return new UserError(
    "image-roll-failed",
    `${node} does not work with the image ${image}, and ${now}; no node after it was changed: ${messageOf(error)}`,
    `correct the cause and run \`up\` again; see \`npx groundplane logs ${node}\``,
  );
}
