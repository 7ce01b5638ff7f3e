import * as fs from "node:fs/promises";
import type { DeviceAccess } from "../model/host-files";
import { exists, ifMissing } from "./file-store";

/** Files of /proc, /sys and cgroups. They are written in place with one write, and disappear with their object. */

/** The file's text without the final newline; `undefined` if the file does not exist. */
export async function readKernelFile(file: string): Promise<string | undefined> {
  const text = await fs.readFile(file, "utf8").catch(ifMissingObject(undefined));
  return text?.trimEnd();
}

/** The content of a binary file; `undefined` if the file does not exist. */
export async function readKernelBytes(file: string): Promise<Buffer | undefined> {
  return fs.readFile(file).catch(ifMissingObject(undefined));
}

export async function writeKernelFile(file: string, value: string): Promise<void> {
  await fs.writeFile(file, value);
}

/** Like `writeKernelFile`, for a setting that some kernels lack or reject. Returns whether it was written. */
export async function tryWriteKernelFile(file: string, value: string): Promise<boolean> {
  return fs.writeFile(file, value).then(
    () => true,
    () => false,
  );
}

/** The direct subfolders of a kernel folder. */
export async function listKernelFolders(folder: string): Promise<readonly string[]> {
  const entries = await fs.readdir(folder, { withFileTypes: true }).catch(ifMissingObject([]));
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** For `catch`: returns the value if the object behind the file is gone, even between open and read. */
function ifMissingObject<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return (error) => (error.code === "ESRCH" || error.code === "ENODEV" ? value : ifMissing(value)(error));
}

const NAMESPACE_FILE_SYSTEM = 0x6e736673;

/** Whether a namespace is mounted on this file. After an unmount, an ordinary empty file remains. */
export async function isNamespaceFile(file: string): Promise<boolean> {
  const mounted = await fs.statfs(file).catch(ifMissing(undefined));
  return mounted?.type === NAMESPACE_FILE_SYSTEM;
}

export async function deviceAccess(file: string): Promise<DeviceAccess> {
  if (!(await exists(file))) return "absent";
  // The device is opened, because containers show devices that their cgroup forbids.
  const handle = await fs.open(file, "r+").catch(() => undefined);
  await handle?.close();
  return handle ? "usable" : "forbidden";
}
