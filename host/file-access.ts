import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import type { HostProblem } from "../model/host-finding";
import { ifMissing } from "./file-store";
import { LEAST_BYTES } from "./prepare-environment.cjs";

/** What keeps this user from a file or folder, before an operation fails inside. Windows has other rules: nothing there. */

/** A file or folder that belongs to another user, or that another user's folder hides. */
export interface ForeignFile {
  readonly file: string;
  readonly owner: string;
}

/** The first file that another user owns or hides. Missing files have no owner. */
export async function findForeignFile(files: readonly string[]): Promise<ForeignFile | undefined> {
  const uid = process.getuid?.();
  if (uid === undefined) return undefined;
  for (const file of files) {
    const place = (await firstClosed(file)) ?? file;
    const found = await fs.stat(place).catch(ifMissing(undefined));
    if (found && found.uid !== uid) return { file: place, owner: await userName(found.uid) };
  }
  return undefined;
}

/** The folder on the way to another one that this user cannot enter, as a problem. */
export async function closedFolder(folder: string, what: string): Promise<HostProblem | undefined> {
  const closed = await firstClosed(folder);
  return closed === undefined ? undefined : noAccess("look into", closed, folder, what);
}

/** Why this user cannot keep files in a folder, which does not have to exist yet. */
export async function folderProblem(folder: string, what: string): Promise<HostProblem | undefined> {
  const closed = await closedFolder(folder, what);
  if (closed) return closed;
  let place = folder;
  while (!(await fs.lstat(place).catch(ifMissing(undefined)))) place = path.dirname(place);
  const problem = await fs
    .access(place, fs.constants.W_OK | fs.constants.X_OK)
    .catch((error: NodeJS.ErrnoException) => error);
  if (!problem) return undefined;
  return problem.code === "EROFS" ? readOnly(place, folder, what) : noAccess("write into", place, folder, what);
}

/** Why no program can keep temporary files. A TMPDIR without room is not used, so this is about the folder of the system. */
export async function temporaryFolderProblem(): Promise<HostProblem | undefined> {
  const folder = os.tmpdir();
  const found = await fs.statfs(folder).catch(ifMissing(undefined));
  if (found === undefined || found.bavail * found.bsize >= LEAST_BYTES) return undefined;
  return {
    id: "temporary-folder-full",
    problem: `the disk is full: ${folder}, the folder for temporary files, has no room`,
    hint: "free space there, or set TMPDIR to a folder with room",
  };
}

const onTheWay = (place: string, folder: string): string => (place === folder ? "" : `, on the way to ${folder}`);

const readOnly = (place: string, folder: string, what: string): HostProblem => ({
  id: "folder-read-only",
  problem: `the file system of ${place}${onTheWay(place, folder)} (${what}) is mounted read-only`,
  hint: `mount it for writing, or use another folder for ${what}`,
});

const noAccess = (verb: string, place: string, folder: string, what: string): HostProblem => ({
  id: "folder-closed",
  problem: `${currentUser()} cannot ${verb} ${place}${onTheWay(place, folder)} (${what})`,
  hint: `use a folder of your own for ${what}, or run the command as the owner of ${place}`,
});

/** The first folder on the way to a file that this user cannot enter. */
async function firstClosed(file: string): Promise<string | undefined> {
  const parent = path.dirname(file);
  if (parent === file) return undefined;
  const above = await firstClosed(parent);
  if (above) return above;
  const error = await fs.lstat(file).catch((failure: NodeJS.ErrnoException) => failure);
  return "code" in error && error.code === "EACCES" ? parent : undefined;
}

/** A process may run as a number that the host has no name for. */
export function currentUser(): string {
  try {
    return os.userInfo().username;
  } catch {
    return `user ${process.getuid?.()}`;
  }
}

async function userName(uid: number): Promise<string> {
  const passwd = await fs.readFile("/etc/passwd", "utf8").catch(() => "");
  const line = passwd.split("\n").find((each) => each.split(":")[2] === String(uid));
  return line?.split(":")[0] ?? `user ${uid}`;
}

/** Home folders of all users that /etc/passwd lists. */
export async function homeFolders(): Promise<readonly { readonly user: string; readonly home: string }[]> {
  const passwd = await fs.readFile("/etc/passwd", "utf8").catch(() => "");
  return passwd
    .split("\n")
    .map((line) => line.split(":"))
    .filter((fields) => fields[5]?.startsWith("/"))
    .map(([user = "", , , , , home = ""]) => ({ user, home }));
}
