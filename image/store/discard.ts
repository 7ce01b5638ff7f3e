import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { imagesFolder, partsFolder } from "../../host/data-folder";
import { listFolder, readIfPresent, removeTree } from "../../host/file-store";

/**
 * Takes a damaged or unneeded folder out of its place. Running machines may still have it as the lower part of their
 * root; then it stays on disk under another name until no machine runs on an image any more.
 */
export async function discard(folder: string): Promise<void> {
  const aside = `${folder}.discarded-${randomBytes(4).toString("hex")}`;
  await fs.rename(folder, aside);
  if (!(await areImagesMounted())) await removeTree(aside);
}

/** Removes what earlier calls of `discard` had to leave. */
export async function removeDiscarded(): Promise<void> {
  const left = [];
  for (const folder of [imagesFolder(), partsFolder()]) {
    for (const name of await listFolder(folder)) if (name.includes(".discarded-")) left.push(path.join(folder, name));
  }
  if (left.length === 0 || (await areImagesMounted())) return;
  for (const folder of left) await removeTree(folder);
}

/** Whether any process on this host, in whatever mount namespace, has a mount on top of an image. */
async function areImagesMounted(): Promise<boolean> {
  const folders = [`${imagesFolder()}/`, `${partsFolder()}/`];
  for (const pid of await fs.readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    // A process may end, or not let itself be looked at, while the list is read.
    const mounts = await readIfPresent(`/proc/${pid}/mountinfo`).catch(() => undefined);
    if (mounts && folders.some((folder) => mounts.includes(folder))) return true;
  }
  return false;
}
