import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { imagesFolder, partsFolder } from "../../host/data-folder";
import { exists, listFolder, readIfPresent, removeTree } from "../../host/file-store";
import { asStorageError, type BuildContext } from "./build-context";

/**
 * Fills `<folder>.partial` and renames it at the end, so that an incomplete folder never has the final name.
 * @param found what is wrong with the existing folder
 * @param fill creates the partial folder
 * @throws UserError `disk-full` and whatever `fill` throws; nothing is left at `folder` then
 */
export async function replaceFolder<R>(
  folder: string,
  phase: string,
  found: string,
  context: BuildContext,
  fill: (partial: string) => Promise<R>,
): Promise<R> {
  if (await exists(folder)) {
    context.progress({ phase, message: `is damaged (${found}) and is rebuilt` });
    await discard(folder);
  }
  const partial = `${folder}.partial`;
  await removeTree(partial);
  try {
    const made = await fill(partial);
    await fs.rename(partial, folder);
    return made;
  } catch (error) {
    await removeTree(partial);
    throw asStorageError(error, folder);
  }
}

/**
 * Moves a folder out of its place. Running machines may still use it as the lower layer of their root file system; it
 * then stays on disk under another name until no machine uses an image any more.
 */
export async function discard(folder: string): Promise<void> {
  const aside = `${folder}.discarded-${randomBytes(4).toString("hex")}`;
  await fs.rename(folder, aside);
  if (!(await areImagesMounted())) await removeTree(aside);
}

/** Removes what earlier calls of `discard` left on disk. */
export async function removeDiscarded(): Promise<void> {
  const left = [];
  for (const folder of [imagesFolder(), partsFolder()]) {
    for (const name of await listFolder(folder)) if (name.includes(".discarded-")) left.push(path.join(folder, name));
  }
  if (left.length === 0 || (await areImagesMounted())) return;
  for (const folder of left) await removeTree(folder);
}

/** Does a process on this host, in any mount namespace, have a mount on top of an image? */
async function areImagesMounted(): Promise<boolean> {
  const folders = [`${imagesFolder()}/`, `${partsFolder()}/`];
  for (const pid of await fs.readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    // A process may end while the list is read, or belong to another user.
    const mounts = await readIfPresent(`/proc/${pid}/mountinfo`).catch(() => undefined);
    if (mounts && folders.some((folder) => mounts.includes(folder))) return true;
  }
  return false;
}
