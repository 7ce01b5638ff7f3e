import * as fs from "node:fs/promises";
import { UserError } from "../model/user-error";

/**
 * Makes a folder that only this user can look into, in a place where others may have made one of its name.
 * @throws UserError `folder-not-ours`
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await fs.lstat(folder);
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return;
  throw new UserError(
    "folder-not-ours",
    `${folder} exists, and other users could look into it`,
    `find out who made it; if nobody needs it, remove it: rm -r ${folder}`,
  );
}
