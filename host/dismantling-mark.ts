import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { stackFolder } from "./data-folder";

/**
 * A file that exists while a whole stack is destroyed. Nodes are then removed without drains and guards. Only the provider
 * writes it, in an operation that holds Pulumi's lock of the stack: a destroy that Pulumi refuses leaves nothing.
 */

/** Names the stack for the provider of a `destroy`: a stack whose first `up` failed has no Dismantling in its state. */
export const DISMANTLING_VARIABLE = "GROUNDPLANE_DISMANTLING";

/** Names the stack whose data disks a `destroy` keeps, although the last `up` recorded that they are deleted. */
export const KEEP_DISKS_VARIABLE = "GROUNDPLANE_KEEP_DATA_DISKS";

export const areDisksKept = (stack: string): boolean => process.env[KEEP_DISKS_VARIABLE] === stack;

const markPath = (stack: string): string => path.join(stackFolder(stack), "dismantling");

export const isDismantling = (stack: string): boolean =>
  process.env[DISMANTLING_VARIABLE] === stack || existsSync(markPath(stack));

export async function markDismantling(stack: string): Promise<void> {
  await fs.mkdir(stackFolder(stack), { recursive: true, mode: 0o700 });
  await fs.writeFile(markPath(stack), "", { mode: 0o600 });
}

export async function clearDismantling(stack: string): Promise<void> {
  await fs.rm(markPath(stack), { force: true });
}
