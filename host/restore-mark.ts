import { existsSync } from "node:fs";
import * as path from "node:path";
import { stackFolder } from "./data-folder";
import { removeTree } from "./file-store";

/**
 * What a restore leaves for the provider, in a folder that only this user can read. While the folder exists, a bootstrap begins with the
 * snapshot, a new stack gets the backup's keys, and memberships of the former machines end without touching the cluster. It is
 * complete when it appears, loses its files when the cluster runs again, and is removed at the end of an `up`, so an interrupted restore
 * continues with the next one.
 */
const restoreFolder = (stack: string): string => path.join(stackFolder(stack), "restore");

export interface RestoreFiles {
  readonly folder: string;
  /** Filled here, then renamed. */
  readonly staging: string;
  readonly keys: string;
  readonly snapshot: string;
  readonly etcdutl: string;
  /** The script that fills etcd's folder of a machine. */
  readonly script: string;
  /** The release of the backup, for a new stack whose file names none. */
  readonly release: string;
}

export const restoreNames = {
  ...{ keys: "keys.json", snapshot: "etcd.db" },
  ...{ etcdutl: "etcdutl", script: "restore-member.sh", release: "release" },
} as const;

export function restoreFilesOf(stack: string): RestoreFiles {
  const folder = restoreFolder(stack);
  const inFolder = (name: string): string => path.join(folder, name);
  return {
    ...{ folder, staging: `${folder}.new` },
    ...{ keys: inFolder(restoreNames.keys), snapshot: inFolder(restoreNames.snapshot) },
    ...{ etcdutl: inFolder(restoreNames.etcdutl), script: inFolder(restoreNames.script) },
    release: inFolder(restoreNames.release),
  };
}

/** Whether a bootstrap still has to begin with the snapshot. */
export const hasSnapshot = (stack: string): boolean => existsSync(restoreFilesOf(stack).snapshot);

/**
 * The cluster runs again: a later bootstrap must not begin with this snapshot, and its keys need not stay in a file. The empty folder
 * stays until the stack is up, because memberships of the former machines may still have to end.
 */
export async function forgetSnapshot(stack: string): Promise<void> {
  if (!isRestoring(stack)) return;
  for (const name of Object.values(restoreNames)) await removeTree(path.join(restoreFolder(stack), name));
}

/** The stack is up: no membership of a former machine remains. */
export const endRestore = (stack: string): Promise<void> => removeTree(restoreFolder(stack));

export const isRestoring = (stack: string): boolean => existsSync(restoreFolder(stack));
