import type { MachineName } from "../../hypervisors/hypervisor";
import { hasKeptBackups } from "./kept-backups";
import { hasKeptMarks } from "./kept-marks";
import { type LeftMember, readLeft } from "./left-members";

/** What the stack's folder knows of a roll that has begun, besides the driver's record. */
export interface OpenRoll {
  readonly left: LeftMember | undefined;
  /** The node may be cordoned, and lack what is kept. */
  readonly isHandedOver: boolean;
}

export async function readOpenRoll(machine: MachineName): Promise<OpenRoll> {
  const { stack, name } = machine;
  return {
    left: await readLeft(machine),
    isHandedOver: (await hasKeptMarks(stack, name)) || (await hasKeptBackups(stack, name)),
  };
}
