import * as path from "node:path";
import type { Host } from "../../model/host";
import { ForeignObjectError } from "../hypervisor";
import { lockFile, RUN_FOLDER } from "./folders";

/**
 * What is changed of the host itself, counted: the first stack raises, the last one gives back. The record lies in
 * /run, as it must end with the host's uptime like the settings themselves.
 */
interface HostRecord {
  /** Data folder by stack name: two data folders with a stack of the same name would share its namespaces. */
  readonly stacks: Readonly<Record<string, string>>;
  /** Values before the first stack, by file. */
  readonly before: Readonly<Record<string, string>>;
  /** `ip netns` makes this folder and mounts it on itself; if it was not there before, it goes in the end. */
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

/** Counts the stack in and raises what is too low. */
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
    // The record first: a value that is raised but not recorded could never be given back.
    const stacks = { ...record.stacks, [stack]: host.folders.data() };
    await host.files.writeJson(RECORD, { ...record, before: { ...low, ...record.before }, stacks }, 0o644);
    for (const file of Object.keys(low)) await host.kernel.write(file, String(NEEDED[file]));
  });
}

/** Counts the stack out; after the last one the host is as before. */
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

/** Removes what is empty of the folder in /run; a lock that somebody holds keeps it. */
export async function tidyRunFolder(host: Host): Promise<void> {
  for (const folder of ["locks", "uplinks", ""]) await host.files.removeIfEmpty(path.join(RUN_FOLDER, folder));
}

/** A data folder that somebody deleted counts no more: its stacks would hold the host's settings until a restart. */
const hasStack = (host: Host, folder: string, stack: string): Promise<boolean> =>
  host.files.exists(path.join(folder, "stacks", stack));

/** The values that are lower than needed, as they are. */
async function valuesTooLow(host: Host): Promise<Record<string, string>> {
  const low: Record<string, string> = {};
  for (const [file, needed] of Object.entries(NEEDED)) {
    const value = await host.kernel.read(file);
    if (value !== undefined && Number(value) < needed) low[file] = value;
  }
  return low;
}

/** Puts a value back, unless somebody else has changed it meanwhile. */
async function restore(host: Host, file: string, value: string): Promise<void> {
  if ((await host.kernel.read(file)) === String(NEEDED[file])) await host.kernel.write(file, value);
}

async function removeNetnsFolder(host: Host): Promise<void> {
  // Fails while another program's namespaces are in it: then it stays.
  await host.run(["umount", NETNS_FOLDER], { allowedExitCodes: [0, 1, 32] });
  await host.files.removeIfEmpty(NETNS_FOLDER);
}
