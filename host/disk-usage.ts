import * as fs from "node:fs";
import * as path from "node:path";

/** `st_blocks` counts these, whatever the file system's blocks are. */
const BLOCK_BYTES = 512;

/**
 * Bytes that a file or folder occupies on the disk: holes do not count, and hard links count once. What this user cannot read, and what
 * vanishes meanwhile, does not count.
 */
export function bytesOnDisk(target: string): number {
  const seen = new Set<string>();
  const measure = (file: string): number => {
    const found = fs.lstatSync(file, { throwIfNoEntry: false });
    if (!found) return 0;
    const inode = `${found.dev}:${found.ino}`;
    if (found.nlink > 1 && !found.isDirectory() && seen.has(inode)) return 0;
    seen.add(inode);
    const own = (found.blocks ?? 0) * BLOCK_BYTES;
    return found.isDirectory()
      ? own + listed(file).reduce((sum, name) => sum + measure(path.join(file, name)), 0)
      : own;
  };
  return measure(target);
}

/** Synchronous, because that is several times faster for tens of thousands of objects. */
function listed(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}
