import { listFolder } from "../../host/file-store";
import type { MachineName } from "../../hypervisors/hypervisor";
import { hasKept } from "./kept-from-disk";
import { hasKeptMarks, keptMarksOf } from "./kept-marks";
import { type LeftMember, leftMembersOf, readLeft } from "./left-members";
import { isMoving } from "./moved-etcd";

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
    isHandedOver: (await hasKeptMarks(stack, name)) || (await hasKept(stack, name)) || (await isMoving(machine)),
  };
}

/** Nodes of the cluster and members of etcd whose roll has begun. They may lack the cluster until it is completed. */
export async function nodesInRoll(stack: string): Promise<readonly string[]> {
  const files = [...(await listFolder(keptMarksOf(stack))), ...(await listFolder(leftMembersOf(stack)))];
  // A file that is being written has another name.
  return [...new Set(files.flatMap((file) => /^([^.].*)\.json$/.exec(file)?.[1] ?? []))].sort();
}
