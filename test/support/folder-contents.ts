import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";

/**
 * Every entry below the folders with its mode and its content's digest. Links are not followed.
 *
 * @param passOver base name of files that are left out
 */
export function contentsOf(folders: readonly string[], passOver: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const look = (file: string): void => {
    const { mode } = fs.lstatSync(file);
    const kind = mode.toString(8);
    if (fs.lstatSync(file).isSymbolicLink()) found[file] = `${kind} ${fs.readlinkSync(file)}`;
    else if (fs.statSync(file).isDirectory()) {
      found[file] = kind;
      for (const name of fs.readdirSync(file)) if (name !== passOver) look(path.join(file, name));
    } else found[file] = `${kind} ${createHash("sha256").update(fs.readFileSync(file)).digest("hex")}`;
  };
  for (const folder of folders) look(folder);
  return found;
}

/**
 * Relative paths of everything below a folder, without the folder itself; empty if it does not exist. Links are not followed,
 * because the images that a data folder links to have links to folders of the host, such as /run.
 */
export function entriesBelow(folder: string): readonly string[] {
  if (!fs.existsSync(folder)) return [];
  const entries = fs.readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.map(({ parentPath, name }) => path.relative(folder, path.join(parentPath, name)));
}

/** Names of the entries that differ, which are shorter to read than both lists. */
export const differing = (before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>) =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => before[name] !== after[name]);
