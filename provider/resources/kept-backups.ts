import * as path from "node:path";
import type { Guest } from "../../guests/guest";
import { stackFolder } from "../../host/data-folder";
import { exists, listFolder, readBytes, removeIfEmpty, removeTree } from "../../host/file-store";
import { timeOfBackup } from "../../model/backups";
import { guestPaths } from "../../model/guest-paths";
import type { Context } from "../rpc/resource-handler";
import { reasonOf } from "./guest-waiting";
import { receiveFile } from "./receive-file";

/**
 * Backups that a master has on its system disk, which is exchanged. They are kept in the stack's folder until the master has them again.
 *
 * They are encrypted; the state of the stack has the key.
 */
const folderOf = (stack: string): string => path.join(stackFolder(stack), "kept-backups");
const nodeFolder = (stack: string, node: string): string => path.join(folderOf(stack), node);

const LIST_MS = 60_000;
const COPY_MS = 15 * 60_000;

const scripts = {
  list: `[ ! -d "$1" ] || find "$1" -maxdepth 1 -type f -name '*.backup' -size +0 -printf '%f\\n'`,
  read: 'exec cat "$1/$2"',
  // What the master has taken meanwhile stays. A file gets its name when it is complete.
  write:
    'umask 077; [ ! -e "$1/$2" ] || exit 0; mkdir -p "$1" && cat >"$1/.new-$2" && ' +
    'chmod 0600 "$1/.new-$2" && sync "$1/.new-$2" && mv "$1/.new-$2" "$1/$2"',
} as const;

const argvOf = (script: keyof typeof scripts, name = ""): [string, ...string[]] => [
  ...(["/bin/bash", "-c", scripts[script], script, guestPaths.backups] as const),
  ...(name === "" ? [] : [name]),
];

export const hasKeptBackups = (stack: string, node: string): Promise<boolean> => exists(nodeFolder(stack, node));

/** Copies what the master has now. It must still run from the disk that is exchanged. */
export async function keepBackups(master: Guest, stack: string, node: string, { signal }: Context): Promise<void> {
  await forgetBackups(stack, node);
  const listed = await master.run(argvOf("list"), { signal, timeoutMs: LIST_MS });
  if (listed.code !== 0) throw new Error(`the backups of ${node} cannot be listed: ${reasonOf(listed)}`);
  for (const name of listed.stdout.split("\n").filter(isBackupName))
    await keepBackup(master, stack, node, name, signal);
}

async function keepBackup(
  master: Guest,
  stack: string,
  node: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const file = path.join(nodeFolder(stack, node), name);
  const what = `${name} cannot be read from ${node}`;
  await receiveFile(master, argvOf("read", name), { file, what, signal, timeoutMs: COPY_MS });
}

/** A master names them, and they become names of files on the host. */
const isBackupName = (name: string): boolean =>
  /^[a-z0-9][\w-]*\.backup$/i.test(name) && timeOfBackup(name) !== undefined;

/** Gives the master back what it lacks. */
export async function returnBackups(master: Guest, stack: string, node: string, { signal }: Context): Promise<void> {
  for (const name of await listFolder(nodeFolder(stack, node))) {
    const stdin = await readBytes(path.join(nodeFolder(stack, node), name));
    if (stdin === undefined || !isBackupName(name)) continue;
    const result = await master.run(argvOf("write", name), { stdin, signal, timeoutMs: COPY_MS });
    if (result.code !== 0) throw new Error(`${name} cannot be written to ${node}: ${reasonOf(result)}`);
  }
}

export async function forgetBackups(stack: string, node: string): Promise<void> {
  await removeTree(nodeFolder(stack, node));
  await removeIfEmpty(folderOf(stack));
}
