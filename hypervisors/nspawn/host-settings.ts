import * as path from "node:path";
import type { Host } from "../../model/host";
import { ForeignObjectError } from "../hypervisor";
import { lockFile, RUN_FOLDER } from "./folders";

/**
 * Settings of the host that stacks share: the first stack raises them, the last one restores them. The record is in /run
 * because, like the settings, it must not survive a restart of the host.
 */
interface HostRecord {
  /** Data folder by stack name: two data folders with a stack of the same name would share its namespaces. */
  readonly stacks: Readonly<Record<string, string>>;
  /** Values before the first stack, by file. */
  readonly before: Readonly<Record<string, string>>;
  /** `ip netns` creates this folder and mounts it on itself. If it did not exist before, it is removed at the end. */
  readonly netnsFolderMade: boolean;
}

/** Eleven machines with systemd, kubelet and containerd need far more than the usual 128 instances. */
const NEEDED: Readonly<Record<string, number>> = {
  "/proc/sys/fs/inotify/max_user_instances": 8192,
  "/proc/sys/fs/inotify/max_user_watches": 1048576,
};
const NETNS_FOLDER = "/run/netns";
const RECORD = path.join(RUN_FOLDER, "host.json");
const withHostLock = <T>(host: Host, action: () => Promise<T>): Promise<T> =>
  host.locks.withLock(lockFile("host"), action);

/** Registers the stack and raises settings that are too low. */
export async function useHost(host: Host, stack: string): Promise<void> {
  await withHostLock(host, async () => {
    const record = (await host.files.readJson<HostRecord>(RECORD)) ?? {
      stacks: {},
      before: {},
      netnsFolderMade: !(await host.files.exists(NETNS_FOLDER)),
    };
    const folder = record.stacks[stack];
    if (folder !== undefined && folder !== host.folders.data() && (await hasStack(host, folder, stack))) {
      throw new ForeignObjectError(`stack ${stack} (data folder ${folder})`, undefined);
    }
    const low = await valuesTooLow(host);
    if (folder === host.folders.data() && Object.keys(low).length === 0) return;
    // Record first: a raised value that is not recorded could never be restored.
    const stacks = { ...record.stacks, [stack]: host.folders.data() };
    await host.files.writeJson(RECORD, { ...record, before: { ...low, ...record.before }, stacks }, 0o644);
    for (const file of Object.keys(low)) await host.kernel.write(file, String(NEEDED[file]));
  });
}

/** Removes the stack's registration. After the last one, restores the host's settings. */
export async function releaseHost(host: Host, stack: string): Promise<void> {
  await withHostLock(host, async () => {
    const record = await host.files.readJson<HostRecord>(RECORD);
    if (record?.stacks[stack] !== host.folders.data()) return;
    const stacks: Record<string, string> = {};
    for (const [other, folder] of Object.entries(record.stacks)) {
      if (other !== stack && (await hasStack(host, folder, other))) stacks[other] = folder;
    }
    if (Object.keys(stacks).length > 0) return host.files.writeJson(RECORD, { ...record, stacks }, 0o644);
    for (const [file, value] of Object.entries(record.before)) await restore(host, file, value);
    if (record.netnsFolderMade) await removeNetnsFolder(host);
    await host.files.remove(RECORD);
  });
}

/** Removes the empty parts of the folder in /run. A held lock keeps its folder. */
export async function tidyRunFolder(host: Host): Promise<void> {
  await withHostLock(host, async () => {
    // The uplink of another stack may be about to use the folder.
    if (!(await host.files.exists(RECORD))) await host.files.removeIfEmpty(path.join(RUN_FOLDER, "uplinks"));
  });
  for (const folder of ["locks", ""]) await host.files.removeIfEmpty(path.join(RUN_FOLDER, folder));
}

/** A deleted data folder does not count: its stacks would keep the host's settings raised until a restart. */
const hasStack = (host: Host, folder: string, stack: string): Promise<boolean> =>
  host.files.exists(path.join(folder, "stacks", stack));

/** The current values of the settings that are too low. */
async function valuesTooLow(host: Host): Promise<Record<string, string>> {
  const low: Record<string, string> = {};
  for (const [file, needed] of Object.entries(NEEDED)) {
    const value = await host.kernel.read(file);
    if (value !== undefined && Number(value) < needed) low[file] = value;
  }
  return low;
}

/** Restores a value, unless another program has changed it meanwhile. */
async function restore(host: Host, file: string, value: string): Promise<void> {
  if ((await host.kernel.read(file)) === String(NEEDED[file])) await host.kernel.write(file, value);
}

async function removeNetnsFolder(host: Host): Promise<void> {
  // Fails while it contains another program's namespaces; then the folder remains.
  await host.run(["umount", NETNS_FOLDER], { allowedExitCodes: [0, 1, 32] });
  await host.files.removeIfEmpty(NETNS_FOLDER);
}
