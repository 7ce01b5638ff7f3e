import * as path from "node:path";
import type { Host } from "../../model/host";
import type { MachineName, MachineSpec } from "../hypervisor";
import { lockFile, machineFiles } from "./folders";
import { type CgroupMembership, type CgroupMount, parseCgroupMounts, parseCgroups } from "./parse-output";

/** A machine's folder in one hierarchy. */
export interface MachineCgroup {
  readonly folder: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

/**
 * Where the guest's processes are. The guest sees this level as its root, so it can change neither the limits nor the
 * programs of the level above, which is the machine's.
 */
export const guestCgroup = ({ folder }: MachineCgroup): string => path.join(folder, "guest");

/** Where the process of the machine's uplink is, in the version 2 hierarchy: beside the machine, not in it. */
export async function uplinkCgroup(host: Host, machine: MachineName): Promise<string | undefined> {
  const cgroup = (await machineCgroups(host, machine)).find(({ version }) => version === 2);
  return cgroup && `${cgroup.folder}.uplink`;
}

/** Levels above machines come and go with them. The lock keeps a process from removing one that another is about to use. */
export const withLevelsLock = <T>(host: Host, action: () => Promise<T>): Promise<T> =>
  host.locks.withLock(lockFile("cgroups"), action);
/** The kernel's default: machines of a stack have equal shares. */
const NORMAL_SHARES = 1024;
/** Without it, all machines of a stack together would get the share of a single process of the host. */
const STACK_SHARES = 4096;

/**
 * The folder of a machine in each hierarchy. On version 1 it is below the cgroup of this process, so that its limits apply
 * to machines too. On version 2 it is below the root, because a group with processes of its own (a login session) cannot
 * delegate controllers. Pure.
 */
export function planCgroups(
  memberships: readonly CgroupMembership[],
  mounts: readonly CgroupMount[],
  machine: MachineName,
): readonly MachineCgroup[] {
  const hybrid = mounts.some((mount) => mount.version === 1);
  return memberships.flatMap(({ controllers, path: own }) => {
    const version = controllers.length === 0 ? 2 : 1;
    const mount = mounts.find(
      (m) => m.version === version && controllers.every((name) => m.controllers.includes(name)),
    );
    if (mount === undefined) return [];
    const place = version === 2 && !hybrid ? "/" : path.posix.relative(mount.root, own);
    // In a container, the hierarchy may be mounted from another place than /proc/self/cgroup shows.
    const base = place.startsWith("..") ? mount.mountPoint : path.posix.join(mount.mountPoint, place);
    return [{ folder: path.posix.join(base, "groundplane", machine.stack, machine.name), version, controllers }];
  });
}

/** Creates a machine's cgroups with its limits. Records them first, because another process may compute other folders. */
export async function makeCgroups(host: Host, spec: MachineSpec): Promise<readonly MachineCgroup[]> {
  const memberships = parseCgroups((await host.kernel.read("/proc/self/cgroup")) ?? "");
  const mounts = parseCgroupMounts((await host.kernel.read("/proc/self/mountinfo")) ?? "");
  const cgroups = planCgroups(memberships, mounts, spec);
  await host.files.writeJson(machineFiles(host, spec).cgroups, cgroups);
  await withLevelsLock(host, async () => {
    for (const cgroup of cgroups) await makeCgroup(host, cgroup);
  });
  // A folder that remains of a killed machine has a lower weight.
  await setWeight(host, spec, NORMAL_SHARES);
  return cgroups;
}

async function makeCgroup(host: Host, { folder, version, controllers }: MachineCgroup): Promise<void> {
  const stack = path.dirname(folder);
  const all = path.dirname(stack);
  if (version === 2) await delegateControllers(host, path.dirname(all));
  const guest = path.join(folder, "guest");
  for (const level of [all, stack, folder, guest]) {
    await host.files.makeFolder(level);
    if (controllers.includes("cpuset")) await copyCpuset(host, level);
    // The machine's own systemd delegates the controllers that it has.
    if (version === 2 && level !== guest) await delegateControllers(host, level);
  }
  for (const level of [all, stack]) await setShares(host, level, { version, controllers }, STACK_SHARES);
}

/** A new group of a version 1 cpuset has neither CPUs nor memory nodes. It accepts no process until it has both. */
async function copyCpuset(host: Host, folder: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const above = await host.kernel.read(path.join(path.dirname(folder), file));
    if (above !== undefined) await host.kernel.tryWrite(path.join(folder, file), above);
  }
}

/** One write per controller: a kernel or container that lacks one of them rejects the entire line. */
async function delegateControllers(host: Host, folder: string): Promise<void> {
  for (const controller of ["cpu", "cpuset", "memory", "pids", "io", "hugetlb"]) {
    await host.kernel.tryWrite(path.join(folder, "cgroup.subtree_control"), `+${controller}`);
  }
}

async function setShares(
  host: Host,
  folder: string,
  kind: Omit<MachineCgroup, "folder">,
  weight: number,
): Promise<void> {
  if (kind.controllers.includes("cpu")) {
    await host.kernel.tryWrite(path.join(folder, "cpu.shares"), String(Math.max(2, weight)));
  }
  if (kind.version === 2) {
    const scaled = Math.min(10_000, Math.max(1, Math.round((weight * 100) / 1024)));
    await host.kernel.tryWrite(path.join(folder, "cpu.weight"), String(scaled));
  }
}

/** The machine's recorded cgroups; none when it was never started. */
export async function machineCgroups(host: Host, machine: MachineName): Promise<readonly MachineCgroup[]> {
  return (await host.files.readJson<readonly MachineCgroup[]>(machineFiles(host, machine).cgroups)) ?? [];
}

/** 1024 = normal. */
export async function setWeight(host: Host, machine: MachineName, weight: number): Promise<void> {
  for (const cgroup of await machineCgroups(host, machine)) await setShares(host, cgroup.folder, cgroup, weight);
}

/** Every process in the machine, including those that a killed nspawn leaves behind. */
export async function machinePids(host: Host, machine: MachineName): Promise<readonly number[]> {
  const folder = await trackingFolder(host, machine);
  return folder === undefined ? [] : pidsBelow(host, folder);
}

/** Looks no further than the first one: a machine with pods has hundreds of groups, and is asked often whether it runs. */
export async function hasPid(host: Host, machine: MachineName, isMeant: (pid: number) => boolean): Promise<boolean> {
  const folder = await trackingFolder(host, machine);
  return folder !== undefined && hasPidBelow(host, folder, isMeant);
}

async function hasPidBelow(host: Host, folder: string, isMeant: (pid: number) => boolean): Promise<boolean> {
  const own = (await host.kernel.read(path.join(folder, "cgroup.procs"))) ?? "";
  if (own.split("\n").filter(Boolean).map(Number).some(isMeant)) return true;
  for (const name of await host.kernel.listFolders(folder))
    if (await hasPidBelow(host, path.join(folder, name), isMeant)) return true;
  return false;
}

/** Each process is in every hierarchy; guests always populate systemd's own. */
async function trackingFolder(host: Host, machine: MachineName): Promise<string | undefined> {
  const cgroups = await machineCgroups(host, machine);
  return (cgroups.find(({ controllers }) => controllers.includes("name=systemd")) ?? cgroups[0])?.folder;
}

async function pidsBelow(host: Host, folder: string): Promise<readonly number[]> {
  const own = (await host.kernel.read(path.join(folder, "cgroup.procs"))) ?? "";
  const below = await Promise.all(
    (await host.kernel.listFolders(folder)).map((name) => pidsBelow(host, path.join(folder, name))),
  );
  return [...own.split("\n").filter(Boolean).map(Number), ...below.flat()];
}

/**
 * Removes a stopped machine's cgroups. If those of its containers remain, the kubelet waits three seconds for each of them
 * at the next start.
 */
export async function removeCgroups(host: Host, machine: MachineName): Promise<void> {
  const cgroups = await machineCgroups(host, machine);
  if (cgroups.length === 0) return;
  await withLevelsLock(host, async () => {
    for (const { folder } of cgroups) {
      await removeEmptyTree(host, folder);
      const stack = path.dirname(folder);
      for (const level of [stack, path.dirname(stack)]) await host.files.removeIfEmpty(level);
    }
  });
  await host.files.remove(machineFiles(host, machine).cgroups);
}

async function removeEmptyTree(host: Host, folder: string): Promise<void> {
  for (const name of await host.kernel.listFolders(folder)) await removeEmptyTree(host, path.join(folder, name));
  await host.files.removeIfEmpty(folder);
}
