import * as path from "node:path";
import type { Host } from "../../model/host";
import { isObjectName } from "../../model/object-names";
import type { SnapshotMachine, SnapshotName, SnapshotRecord, UnfinishedSnapshot } from "../../model/stack-snapshots";

/**
 * The snapshots of a stack: a folder each in `<stack>/snapshots`, only for this user. A folder without a dot in its name is complete.
 * Names of snapshots contain no dot.
 */
export const snapshotsFolder = (host: Host, stack: string): string => path.join(host.folders.stack(stack), "snapshots");

export function snapshotFiles(host: Host, { stack, name }: SnapshotName) {
  const folders = snapshotsFolder(host, stack);
  return {
    complete: path.join(folders, name),
    /** While it is being created. */
    partial: path.join(folders, `${name}.partial`),
    /** While it is being removed. */
    deleted: path.join(folders, `${name}.deleted`),
  };
}

const RECORD = "snapshot.json";
export const recordIn = (folder: string): string => path.join(folder, RECORD);
/** For files that exist only while the machines are paused. */
export const scratchFolder = (folder: string): string => path.join(folder, "pause");
export const partFolder = (folder: string, machine: string): string => path.join(folder, "machines", machine);

/** The lock of everything that changes snapshots. */
export const snapshotsLock = (host: Host, stack: string): string => path.join(snapshotsFolder(host, stack), "change");

/** The process that has begun a change. */
interface Begun {
  readonly pid?: number;
  readonly startTime?: string;
}

function begun(host: Host): Begun {
  const { pid } = host.facts;
  const startTime = host.processes.startTime(pid);
  return { pid, ...(startTime !== undefined && { startTime }) };
}

const isEnded = (host: Host, { pid, startTime }: Begun): boolean =>
  pid === undefined || host.processes.startTime(pid) !== startTime;

/** The creation that has begun. Without its lock it was killed, and may have left machines paused. */
const creatingFile = (host: Host, stack: string): string => path.join(snapshotsFolder(host, stack), "creating.json");
const readCreating = (host: Host, stack: string): Promise<(Begun & { readonly name: string }) | undefined> =>
  host.files.readJson(creatingFile(host, stack));
export const writeCreating = (host: Host, { stack, name }: SnapshotName): Promise<void> =>
  host.files.writeJson(creatingFile(host, stack), { name, ...begun(host) });
export const creatingSnapshot = async (host: Host, stack: string): Promise<string | undefined> =>
  (await readCreating(host, stack))?.name;
export const removeCreating = (host: Host, stack: string): Promise<void> =>
  host.files.remove(creatingFile(host, stack));

/** A file for each machine that still has to get its disks of the snapshot. */
const restoringFolder = (host: Host, stack: string): string =>
  path.join(snapshotsFolder(host, stack), "restoring.pending");
const restoringFile = (folder: string, machine: string): string => path.join(folder, `${machine}.json`);

export type PendingRestore = Begun & Pick<SnapshotMachine, "generation" | "image"> & { readonly snapshot: string };

/** All machines in one step: a killed restore has begun for all of them or for none. */
export async function beginRestore(
  host: Host,
  { stack, name }: SnapshotName,
  machines: readonly SnapshotMachine[],
): Promise<void> {
  const folder = restoringFolder(host, stack);
  const staging = `${folder}.new`;
  await host.files.remove(staging);
  for (const { name: machine, generation, image } of machines)
    await host.files.writeJson(restoringFile(staging, machine), {
      ...{ snapshot: name, generation, image, ...begun(host) },
    } satisfies PendingRestore);
  // That of an interrupted restore: this one replaces the disks of all machines.
  await host.files.remove(folder);
  await host.files.move(staging, folder);
}

export const readPending = (host: Host, stack: string, machine: string): Promise<PendingRestore | undefined> =>
  host.files.readJson<PendingRestore>(restoringFile(restoringFolder(host, stack), machine));

export async function endPending(host: Host, stack: string, machine: string): Promise<void> {
  const folder = restoringFolder(host, stack);
  await host.files.remove(restoringFile(folder, machine));
  await host.files.removeIfEmpty(folder);
}

/** The snapshot of a restore that was interrupted. */
export const pendingSnapshot = async (host: Host, stack: string): Promise<string | undefined> =>
  (await anyPending(host, stack))?.snapshot;

async function anyPending(host: Host, stack: string): Promise<PendingRestore | undefined> {
  const folder = restoringFolder(host, stack);
  for (const file of await host.files.list(folder)) {
    // A machine that has its disks loses its file meanwhile.
    const pending = await host.files.readJson<PendingRestore>(path.join(folder, file));
    if (pending) return pending;
  }
  return undefined;
}

export async function unfinishedSnapshot(host: Host, stack: string): Promise<UnfinishedSnapshot | undefined> {
  const creating = await readCreating(host, stack);
  if (creating) return { name: creating.name, change: "creation", isInterrupted: isEnded(host, creating) };
  const pending = await anyPending(host, stack);
  return pending && { name: pending.snapshot, change: "restore", isInterrupted: isEnded(host, pending) };
}

export async function readSnapshot(host: Host, snapshot: SnapshotName): Promise<SnapshotRecord | undefined> {
  return host.files.readJson<SnapshotRecord>(recordIn(snapshotFiles(host, snapshot).complete));
}

/** Oldest first. */
export async function readSnapshots(host: Host, stack: string): Promise<readonly SnapshotRecord[]> {
  const names = (await host.files.list(snapshotsFolder(host, stack))).filter(isObjectName);
  const records = await Promise.all(names.map((name) => readSnapshot(host, { stack, name })));
  return records.filter((record) => record !== undefined).sort((a, b) => (a.created < b.created ? -1 : 1));
}

/** Whether an interrupted command left it, or a killed write (`writeFileAtomic`). */
export const isLeftover = (name: string): boolean => /\.(?:partial|deleted|new|tmp)$/.test(name);

export async function removeLeftovers(host: Host, stack: string): Promise<void> {
  const folder = snapshotsFolder(host, stack);
  for (const name of await host.files.list(folder))
    if (isLeftover(name)) await host.files.remove(path.join(folder, name));
}

/** With the stack's last segment: they fit no other machines. */
export const removeAllSnapshots = (host: Host, stack: string): Promise<void> =>
  host.files.remove(snapshotsFolder(host, stack));
