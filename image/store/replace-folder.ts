import { randomBytes } from "node:crypto";
import * as path from "node:path";
import type { Host } from "../../model/host";
import { mountsBelow } from "../../model/mounts";
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
  { host, progress }: BuildContext,
  fill: (partial: string) => Promise<R>,
): Promise<R> {
  const { files } = host;
  if (await files.exists(folder)) {
    progress({ phase, message: `is damaged (${found}) and is rebuilt` });
    await discard(host, folder);
  }
  const partial = `${folder}.partial`;
  await unmountBelow(host, partial);
  await files.remove(partial);
  try {
    const made = await fill(partial);
    await files.move(partial, folder);
    return made;
  } catch (error) {
    await files.remove(partial);
    throw asStorageError(error, folder);
  }
}

/**
 * Ends the mounts that a killed build left, among them the host's /dev/shm. If one cannot be ended, the folder is not removed, as
 * any folder with mounts below it.
 */
async function unmountBelow({ files, kernel, run, trees }: Host, partial: string): Promise<void> {
  if (!(await files.exists(partial))) return;
  const mounts = mountsBelow((await kernel.read("/proc/self/mountinfo")) ?? "", await trees.realPath(partial));
  for (const mountPoint of [...mounts].reverse()) await run(["umount", mountPoint]);
}

/**
 * Moves a folder out of its place. Running machines may still use it as the lower layer of their root file system; it
 * then stays on disk under another name until no machine uses an image any more.
 */
async function discard(host: Host, folder: string): Promise<void> {
  const aside = `${folder}.discarded-${randomBytes(4).toString("hex")}`;
  await host.files.move(folder, aside);
  if (!(await areImagesMounted(host))) await host.files.remove(aside);
}

/** Removes what earlier calls of `replaceFolder` left for running machines. */
export async function removeDiscarded(host: Host): Promise<void> {
  const left = [];
  for (const folder of [host.folders.images(), host.folders.parts()]) {
    const names = await host.files.list(folder);
    left.push(...names.filter((name) => name.includes(".discarded-")).map((name) => path.join(folder, name)));
  }
  if (left.length === 0 || (await areImagesMounted(host))) return;
  for (const folder of left) await host.files.remove(folder);
}

/** Does a process on this host, in any mount namespace, have a mount on top of an image? */
async function areImagesMounted({ folders, kernel }: Host): Promise<boolean> {
  const images = [`${folders.images()}/`, `${folders.parts()}/`];
  for (const pid of await kernel.listFolders("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    // A process may end while the list is read, or belong to another user.
    const mounts = await kernel.read(`/proc/${pid}/mountinfo`).catch(() => undefined);
    if (mounts && images.some((folder) => mounts.includes(folder))) return true;
  }
  return false;
}
