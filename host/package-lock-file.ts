import * as path from "node:path";
import {
  type PackageLock,
  packageLockFile,
  packageLockText,
  parsePackageLock,
  stackOfPackageLock,
} from "../model/package-lock";
import { listFolder, readIfPresent, writeFileAtomic } from "./file-store";
import { projectFolder } from "./project-folder";

/**
 * The package lock of a stack; `undefined` if it has none.
 * @throws UserError `package-lock`, `newer-data`
 */
export async function readPackageLock(stack: string): Promise<PackageLock | undefined> {
  const text = await packageLockTextOf(stack);
  return text === undefined ? undefined : parsePackageLock(text, packageLockFile(stack));
}

export const packageLockTextOf = (stack: string): Promise<string | undefined> =>
  readIfPresent(path.join(projectFolder(), packageLockFile(stack)));

export const writePackageLock = (stack: string, lock: PackageLock): Promise<void> =>
  writePackageLockText(stack, packageLockText(lock));

export const writePackageLockText = (stack: string, text: string): Promise<void> =>
  writeFileAtomic(path.join(projectFolder(), packageLockFile(stack)), text);

/**
 * Every lock of this checkout, by stack.
 * @throws UserError `package-lock`, `newer-data`: what an unreadable lock needs is unknown
 */
export async function packageLocks(): Promise<ReadonlyMap<string, PackageLock>> {
  const folder = path.join(projectFolder(), path.dirname(packageLockFile("")));
  const found = new Map<string, PackageLock>();
  for (const stack of (await listFolder(folder)).map(stackOfPackageLock)) {
    const lock = stack === undefined ? undefined : await readPackageLock(stack);
    if (stack !== undefined && lock !== undefined) found.set(stack, lock);
  }
  return found;
}
