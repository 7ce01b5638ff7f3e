import { randomBytes } from "node:crypto";
import { mountsBelow, mountsRemain } from "../model/mounts";
import { moveTree, readIfPresent, realPath, removeTree } from "./file-store";
import { asNamespaceRoot } from "./namespaces";
import { runCommand } from "./run-command";

/** What was moved out of its place, to be removed. */
const DISCARDED = /\.discarded-[0-9a-f]{8}$/;
export const isDiscarded = (file: string): boolean => DISCARDED.test(file);

/**
 * Removes a file or folder that others find by its name. It gets another name first: an interrupted removal leaves no incomplete
 * folder under the old one.
 * @throws UserError `mount-below`; nothing has changed then
 */
export async function removeAside(target: string): Promise<void> {
  const mounts = mountsBelow((await readIfPresent("/proc/self/mountinfo")) ?? "", (await realPath(target)) ?? target);
  if (mounts.length > 0) throw mountsRemain(target, mounts);
  const aside = isDiscarded(target) ? target : `${target}.discarded-${randomBytes(4).toString("hex")}`;
  if (aside !== target) await moveTree(target, aside);
  await removeTree(aside).catch((error: NodeJS.ErrnoException) => {
    const isRefused = error.code === "EACCES" || error.code === "EPERM";
    if (!isRefused || process.platform !== "linux" || process.getuid?.() === 0) throw error;
    // Files of a user namespace belong to subordinate ids of this user, which only such a namespace may remove.
    return runCommand([...asNamespaceRoot, "rm", "-rf", "--", aside]);
  });
}
