import type { Writable } from "node:stream";
import { script } from "../cloud-init/scripts/read-script";
import { connectAnyGuest, connectionOf } from "../guests/connect-guest";
import type { ConnectGuest, Guest } from "../guests/guest";
import { timeOfBackup } from "../model/backups";
import { storedRoles } from "../model/roles";
import type { InventoryEntry, StackOutputs } from "../model/stack-outputs";
import { UserError } from "../model/user-error";

const CONNECT_MS = 15_000;
const READ_MS = 30 * 60_000;

/** A backup that a master has taken by itself. */
export interface StoredBackup {
  readonly name: string;
  readonly taken: Date;
  readonly bytes: number;
  /** The machines that have it. */
  readonly on: readonly string[];
}

export interface FoundBackups {
  /** Oldest first. */
  readonly backups: readonly StoredBackup[];
  /** The machines that could not be asked, with the reason. */
  readonly silent: Readonly<Record<string, string>>;
}

/** Masters have backups on their disks, storage machines those on the volume. */
const mayHaveBackups = (node: InventoryEntry): boolean =>
  storedRoles(node).some((role) => role === "master" || role === "storage");

/** What the disks of all machines have; a machine without an answer is named. */
export async function findBackups(
  outputs: StackOutputs,
  signal: AbortSignal,
  connect: ConnectGuest = connectAnyGuest,
): Promise<FoundBackups> {
  const silent: Record<string, string> = {};
  const asked = outputs.inventory.filter(mayHaveBackups).map(async (node) => {
    const lines = await listOn(node, outputs, signal, connect).catch((error: Error) => {
      signal.throwIfAborted();
      silent[node.name] = error.message;
      return [];
    });
    return lines.map((line) => ({ line, on: node.name }));
  });
  const found = new Map<string, StoredBackup>();
  for (const { line, on } of (await Promise.all(asked)).flat()) {
    const [name = "", bytes] = line.split(" ");
    const taken = timeOfBackup(name);
    if (!taken) continue;
    const former = found.get(name);
    found.set(name, { name, taken, bytes: Number(bytes), on: [...(former?.on ?? []), on] });
  }
  const backups = [...found.values()].sort((one, other) => one.taken.getTime() - other.taken.getTime());
  return { backups, silent };
}

async function listOn(node: InventoryEntry, outputs: StackOutputs, signal: AbortSignal, connect: ConnectGuest) {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]);
  const guest = await reach(node, outputs, limited, connect);
  const { code, stdout, stderr } = await guest.run(["/bin/bash", "-s", "--", "list"], {
    ...{ stdin: script("backup/stored-backups"), signal: limited },
  });
  if (code !== 0) throw new Error(stderr.trim() || `exit code ${code}`);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Reads a backup from one machine. @throws UserError `backup-not-read` */
export async function readStored(
  { name, on }: { readonly name: string; readonly on: string },
  { outputs, output, signal, connect = connectAnyGuest }: Reading,
): Promise<void> {
  const node = outputs.inventory.find((each) => each.name === on);
  if (!node) throw new Error(`there is no ${on}`);
  const guest = await reach(node, outputs, AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]), connect);
  const { code, stderr } = await guest.run(["/bin/bash", "-s", "--", "read", name], {
    ...{ stdin: script("backup/stored-backups"), output, signal, timeoutMs: READ_MS },
  });
  if (code === 0) return;
  throw new UserError("backup-not-read", `${on}: ${stderr.trim() || `exit code ${code}`}`, "try again");
}

interface Reading {
  readonly outputs: StackOutputs;
  readonly output: Writable;
  readonly signal: AbortSignal;
  readonly connect?: ConnectGuest;
}

function reach(
  node: InventoryEntry,
  outputs: StackOutputs,
  signal: AbortSignal,
  connect: ConnectGuest,
): Promise<Guest> {
  return connect(connectionOf(node, outputs), { signal }).catch((error: Error) => {
    throw signal.aborted ? new Error(`no response within ${CONNECT_MS / 1000} s`) : error;
  });
}
