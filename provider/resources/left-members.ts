import * as path from "node:path";
import { stackFolder } from "../../host/data-folder";
import { readJson, removeIfEmpty, removeTree, writeJson } from "../../host/file-store";
import type { MachineName } from "../../hypervisors/hypervisor";

/**
 * Members of etcd that have left it to join again from another system disk. From then on the former disk has the data of a member that
 * is none any more: it must never run again. The note outlasts every disk of the roll, so that a killed roll knows it.
 */
export interface LeftMember {
  /** The image that the member had before the roll. */
  readonly from: string;
}

export const leftMembersOf = (stack: string): string => path.join(stackFolder(stack), "left-members");
const fileOf = ({ stack, name }: MachineName): string => path.join(leftMembersOf(stack), `${name}.json`);

export const readLeft = (machine: MachineName): Promise<LeftMember | undefined> => readJson(fileOf(machine));

/** Written before etcd forgets the member. */
export const noteLeft = (machine: MachineName, left: LeftMember): Promise<void> => writeJson(fileOf(machine), left);

/** When it is a member again and its former disk is gone, or with its machine. */
export async function forgetLeft(machine: MachineName): Promise<void> {
  await removeTree(fileOf(machine));
  await removeIfEmpty(leftMembersOf(machine.stack));
}
