import * as fs from "node:fs/promises";
import { ifMissing } from "./file-store";

/** Records that a file is needed now. Returns whether it exists. */
export async function markUsed(file: string): Promise<boolean> {
  const now = new Date();
  return fs.utimes(file, now, now).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      // Another user's file, or a read-only file system: it exists.
      if (error.code === "EPERM" || error.code === "EACCES" || error.code === "EROFS") return true;
      return ifMissing(false)(error);
    },
  );
}

/** When a file was last written, marked or, to a day and where the file system records it, read. `undefined`: it is missing. */
export async function lastUse(file: string): Promise<number | undefined> {
  const found = await fs.stat(file).catch(ifMissing(undefined));
  return found && Math.max(found.mtimeMs, found.atimeMs);
}
