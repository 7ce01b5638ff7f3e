import { createReadStream, existsSync, readFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import type { Readable } from "node:stream";
import type { FileStamp } from "../model/host-files";
import { mountsBelow, mountsRemain } from "../model/mounts";
import { UserError } from "../model/user-error";
import { createFolders } from "./data-folder";
import { fileError } from "./file-errors";
import { removeLeftOfKilledWrites, temporaryName } from "./temporary-files";

/**
 * Writes a file atomically: a reader sees the old or the new content, never a part, even if this process is killed.
 * Creates the folder if it is missing. Refuses a device or a pipe, because a file would replace it for all users.
 * Removes what killed writes of the same file left.
 *
 * @param content a stream that ends with an error leaves the file unchanged, too
 * @param mode permissions of the file, even if it already exists; 0600 for content with a secret
 * @throws UserError as `fileError`; the file is then unchanged
 */
export async function writeFileAtomic(file: string, content: string | Buffer | Readable, mode = 0o644): Promise<void> {
  await createFolders(path.dirname(file));
  const found = await fs.lstat(file).catch(ifMissing(undefined));
  if (found && !found.isFile() && !found.isSymbolicLink()) throw new Error(`${file} is not a regular file`);
  await removeLeftOfKilledWrites(file);
  const temporary = temporaryName(file);
  try {
    const handle = await fs.open(temporary, "wx", mode);
    try {
      await handle.chmod(mode);
      await fs.writeFile(handle, content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, file);
    await syncFolder(path.dirname(file));
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw fileError(error) ?? error;
  }
}

/** Makes the names in a folder durable: without it, a power failure may undo a rename. Windows has no such call. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await fs.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file's text; `undefined` if the file does not exist. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  return fs.readFile(file, "utf8").catch(ifMissing(undefined));
}

/** The same as a synchronous function, for the Pulumi program. */
export function readIfPresentSync(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

/**
 * The file's JSON; `undefined` if the file does not exist.
 * @throws Error that names the file if its content is not JSON
 */
export async function readJson<T>(file: string): Promise<T | undefined> {
  const text = await readIfPresent(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new Error(`${file} is not valid JSON`, { cause });
  }
}

/** Writes a JSON record atomically, with indentation. */
export async function writeJson(file: string, value: unknown, mode = 0o600): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`, mode);
}

/** Sorted names of a folder's entries; empty if the folder is missing. */
export async function listFolder(folder: string): Promise<readonly string[]> {
  return (await fs.readdir(folder).catch(ifMissing<string[]>([]))).sort();
}

/** Creates a folder and its parents; an existing folder gets the mode. */
export async function makeFolder(folder: string, mode = 0o755): Promise<void> {
  await createFolders(folder);
  await fs.chmod(folder, mode);
}

/** Creates a private folder in the system's folder for temporary files. */
export async function makeTemporaryFolder(prefix: string, parent = os.tmpdir()): Promise<string> {
  return fs.mkdtemp(path.join(parent, prefix));
}

/** Renames a file or folder atomically. */
export async function moveTree(from: string, to: string): Promise<void> {
  await fs.rename(from, to);
  await syncFolder(path.dirname(to));
  if (path.dirname(from) !== path.dirname(to)) await syncFolder(path.dirname(from));
}

/** Relative paths of all files below a folder; symbolic links are not followed. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await fs.readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((e) => e.isFile()).map((e) => path.relative(folder, path.join(e.parentPath, e.name)));
}

/** Replaces a file by a copy of another one. The copy is a new inode, so hard links of the file are unaffected. */
export async function replaceByCopy(from: string, to: string): Promise<void> {
  await fs.rm(to, { force: true });
  await fs.copyFile(from, to);
}

export async function exists(file: string): Promise<boolean> {
  return fs.lstat(file).then(() => true, ifMissing(false));
}

/** The path without symbolic links; `undefined` if the file is missing. */
export async function realPath(file: string): Promise<string | undefined> {
  return fs.realpath(file).catch(() => undefined);
}

/** The content of a binary file; `undefined` if it is missing. */
export async function readBytes(file: string): Promise<Buffer | undefined> {
  return fs.readFile(file).catch(ifMissing(undefined));
}

/** A stream of a file that must exist. */
export const openFile = (file: string): Readable => createReadStream(file);

/** Removes a file or a whole folder, unless something is mounted in it (`mount-below`). A missing one is not an error. */
export async function removeTree(target: string, mountList = "/proc/self/mountinfo"): Promise<void> {
  // Not the target of a link: the link itself is removed.
  const parent = await fs.realpath(path.dirname(target)).catch(ifMissing(""));
  const mounts = mountsBelow((await readIfPresent(mountList)) ?? "", path.join(parent, path.basename(target)));
  if (mounts.length > 0) throw mountsRemain(target, mounts);
  await fs.rm(target, { recursive: true, force: true });
}

/** Removes a folder if it is empty. Returns whether it is gone. */
export async function removeIfEmpty(folder: string): Promise<boolean> {
  return fs.rmdir(folder).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return true;
      if (error.code === "ENOTEMPTY" || error.code === "EEXIST" || error.code === "EBUSY") return false;
      throw error;
    },
  );
}

/** For `catch`: returns the value for "no such file" and rethrows every other error. */
export function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return value;
    throw error;
  };
}

/** Appends a line to a log that only its owner can read. Lines of several writers never mix. The folder must exist. */
export async function appendLine(file: string, line: string): Promise<void> {
  await fs.appendFile(file, `${line}\n`, { mode: 0o600 });
}

/** A file's text and its permissions as four octal digits; `undefined` if the file does not exist. */
export async function readFileAndMode(file: string): Promise<{ mode: string; content: string } | undefined> {
  const found = await fs.stat(file).catch(ifMissing(undefined));
  if (!found) return undefined;
  return { mode: (found.mode & 0o7777).toString(8).padStart(4, "0"), content: await fs.readFile(file, "utf8") };
}

/** `undefined` if the file does not exist. */
export async function stampFile(file: string): Promise<FileStamp | undefined> {
  const found = await fs.stat(file).catch(ifMissing(undefined));
  return found && { bytes: found.size, modified: Math.trunc(found.mtimeMs) };
}

/** Makes a program file executable for all users. */
export async function makeExecutable(file: string): Promise<void> {
  await fs.chmod(file, 0o755);
}

/** Removes all write permissions of a file. */
export async function makeReadOnly(file: string): Promise<void> {
  await fs.chmod(file, 0o444);
}

/**
 * Creates a folder that only this user can read, in a place where other users may have created one of the same name.
 * @throws UserError `folder-not-ours`
 */
export async function makePrivateFolder(folder: string): Promise<void> {
  await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await fs.lstat(folder);
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return;
  throw new UserError(
    "folder-not-ours",
    `${folder} exists, and other users could look into it`,
    `find out who created it; if it is not needed, remove it: rm -r ${folder}`,
  );
}

/** Writes a file that the user names. Unlike `writeFileAtomic`, it writes through a link, a device or a pipe. */
export async function writeUserFile(file: string, content: string): Promise<void> {
  await fs.writeFile(path.resolve(file), content);
}
