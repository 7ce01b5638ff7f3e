import { existsSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { stackFolder } from "./data-folder";

/** A file that exists while a whole stack is destroyed. Nodes are then removed without drains and guards. */

const markPath = (stack: string): string => path.join(stackFolder(stack), "dismantling");

export const isDismantling = (stack: string): boolean => existsSync(markPath(stack));

export async function markDismantling(stack: string): Promise<void> {
  await fs.mkdir(stackFolder(stack), { recursive: true, mode: 0o700 });
  await fs.writeFile(markPath(stack), "", { mode: 0o600 });
}

export async function clearDismantling(stack: string): Promise<void> {
  await fs.rm(markPath(stack), { force: true });
}
