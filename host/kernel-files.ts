import * as fs from "node:fs/promises";
import type { DeviceAccess } from "../model/host-files";
import { exists, ifMissing } from "./file-store";

/** Files of /proc, /sys and cgroup hierarchies: written in place and in one go, gone when their object is gone. */

/** The file's text without the final newline; `undefined` when there is none. */
export async function readKernelFile(file: string): Promise<string | undefined> {
  const text = await fs.readFile(file, "utf8").catch(ifMissingObject(undefined));
  return text?.trimEnd();
}

/** A file that is no text; `undefined` when there is none. */
export async function readKernelBytes(file: string): Promise<Buffer | undefined> {
  return fs.readFile(file).catch(ifMissingObject(undefined));
}

export async function writeKernelFile(file: string, value: string): Promise<void> {
  await fs.writeFile(file, value);
}

/** Like `writeKernelFile` for a setting that some kernels have not or refuse. Returns whether it was taken. */
export async function tryWriteKernelFile(file: string, value: string): Promise<boolean> {
  return fs.writeFile(file, value).then(
    () => true,
    () => false,
  );
}

/** Folders right below a kernel folder. */
export async function listKernelFolders(folder: string): Promise<readonly string[]> {
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch(ifMissingObject([]));
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** For `catch`: a value when the object behind the file went away, also between opening and reading it. */
function ifMissingObject<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => (error.code === "ESRCH" || error.code === "ENODEV" ? value : ifMissing(value)(error));
}

const NAMESPACE_FILE_SYSTEM = 0x6e736673;

/** Is a namespace mounted on this file? One whose mount is gone leaves an ordinary empty file behind. */
export async function isNamespaceFile(file: string): Promise<boolean> {
  const mounted = await fs.statfs(file).catch(ifMissing(undefined));
  return mounted?.type === NAMESPACE_FILE_SYSTEM;
}

export async function deviceAccess(file: string): Promise<DeviceAccess> {
  if (!(await exists(file))) return "absent";
  // Opened, not only looked at: containers show devices that their cgroup forbids.
  const handle = await fs.open(file, "r+").catch(() => undefined);
  await handle?.close();
  return handle ? "usable" : "forbidden";
}
