import * as path from "node:path";
import { withFileLock } from "../../host/file-lock";
import { makeFolder, readJson, removeIfEmpty, removeTree, writeJson } from "../../host/file-store";
import { listKernelFolders, readKernelFile, tryWriteKernelFile } from "../../host/kernel-files";
import type { MachineName, MachineSpec } from "../hypervisor";
import { lockFile, machineFiles } from "./folders";
import { type CgroupMembership, type CgroupMount, parseCgroupMounts, parseCgroups } from "./parse-output";

/** A machine's folder in one hierarchy. */
export interface MachineCgroup {
  readonly folder: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

/** The levels above come and go with their machines: nobody may remove one that another is about to use. */
const withLevelsLock = <T>(action: () => Promise<T>): Promise<T> => withFileLock(lockFile("cgroups"), action);
/** Without it a whole stack would get the share of one single process of the host. */
const STACK_SHARES = 4096;

/**
 * Where a machine goes in each hierarchy: below this process' own place on version 1, so that limits set on it hold
 * for machines too; on version 2 below the root, since a group with processes of its own (a login session) cannot
 * hand controllers down. Pure.
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
    // In a container the hierarchy may be mounted from somewhere else than /proc/self/cgroup tells.
    const base = place.startsWith("..") ? mount.mountPoint : path.posix.join(mount.mountPoint, place);
    return [{ folder: path.posix.join(base, "groundplane", machine.stack, machine.name), version, controllers }];
  });
}

/** Makes a machine's cgroups with its limits; records them first, as another process would compute other places. */
export async function makeCgroups(spec: MachineSpec): Promise<readonly MachineCgroup[]> {
  const memberships = parseCgroups((await readKernelFile("/proc/self/cgroup")) ?? "");
  const mounts = parseCgroupMounts((await readKernelFile("/proc/self/mountinfo")) ?? "");
  const cgroups = planCgroups(memberships, mounts, spec);
  await writeJson(machineFiles(spec).cgroups, cgroups);
  await withLevelsLock(async () => {
    for (const cgroup of cgroups) await makeCgroup(cgroup);
  });
  await setMemory(spec, spec.memoryMiB);
  await setWeight(spec, spec.cpuWeight);
  return cgroups;
}

async function makeCgroup({ folder, version, controllers }: MachineCgroup): Promise<void> {
  const stack = path.dirname(folder);
  const all = path.dirname(stack);
  if (version === 2) await handDownControllers(path.dirname(all));
  for (const level of [all, stack, folder]) {
    await makeFolder(level);
    if (controllers.includes("cpuset")) await copyCpuset(level);
    // The machine's own systemd hands down what it has.
    if (version === 2 && level !== folder) await handDownControllers(level);
  }
  for (const level of [all, stack]) await setShares(level, { version, controllers }, STACK_SHARES);
}

/** A new group of a version 1 cpuset has neither CPUs nor memory, and takes no process before it has. */
async function copyCpuset(folder: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const above = await readKernelFile(path.join(path.dirname(folder), file));
    if (above !== undefined) await tryWriteKernelFile(path.join(folder, file), above);
  }
}

/** One by one: a kernel or a container that lacks one of them refuses the whole line. */
async function handDownControllers(folder: string): Promise<void> {
  for (const controller of ["cpu", "cpuset", "memory", "pids", "io", "hugetlb"]) {
    await tryWriteKernelFile(path.join(folder, "cgroup.subtree_control"), `+${controller}`);
  }
}

async function setShares(folder: string, kind: Omit<MachineCgroup, "folder">, weight: number): Promise<void> {
  if (kind.controllers.includes("cpu")) {
    await tryWriteKernelFile(path.join(folder, "cpu.shares"), String(Math.max(2, weight)));
  }
  if (kind.version === 2) {
    const scaled = Math.min(10_000, Math.max(1, Math.round((weight * 100) / 1024)));
    await tryWriteKernelFile(path.join(folder, "cpu.weight"), String(scaled));
  }
}

/** The machine's recorded cgroups; none when it was never started. */
export async function machineCgroups(machine: MachineName): Promise<readonly MachineCgroup[]> {
  return (await readJson<readonly MachineCgroup[]>(machineFiles(machine).cgroups)) ?? [];
}

/** 1024 = normal. */
export async function setWeight(machine: MachineName, weight: number): Promise<void> {
  for (const cgroup of await machineCgroups(machine)) await setShares(cgroup.folder, cgroup, weight);
}

/**
 * A soft limit. Machines share the page cache of their images, and it is charged to whoever touches a page first: a
 * hard limit would kill the unlucky one. Over the soft limit the kernel reclaims from this machine first.
 */
export async function setMemory(machine: MachineName, mebibytes: number): Promise<void> {
  const bytes = String(mebibytes * 1024 * 1024);
  for (const { folder, version, controllers } of await machineCgroups(machine)) {
    if (controllers.includes("memory"))
      await tryWriteKernelFile(path.join(folder, "memory.soft_limit_in_bytes"), bytes);
    if (version === 2) await tryWriteKernelFile(path.join(folder, "memory.high"), bytes);
  }
}

/** Every process in the machine, also those that nspawn left behind when it was killed. */
export async function machinePids(machine: MachineName): Promise<readonly number[]> {
  const cgroups = await machineCgroups(machine);
  // Each process is in every hierarchy; systemd's own is the one that guests cannot leave empty.
  const tracking = cgroups.find(({ controllers }) => controllers.includes("name=systemd")) ?? cgroups[0];
  return tracking === undefined ? [] : pidsBelow(tracking.folder);
}

async function pidsBelow(folder: string): Promise<readonly number[]> {
  const own = (await readKernelFile(path.join(folder, "cgroup.procs"))) ?? "";
  const below = await Promise.all((await listKernelFolders(folder)).map((name) => pidsBelow(path.join(folder, name))));
  return [...own.split("\n").filter(Boolean).map(Number), ...below.flat()];
}

/**
 * Removes a stopped machine's cgroups. Left behind, those of its containers make the kubelet of the next start wait
 * three seconds for each.
 */
export async function removeCgroups(machine: MachineName): Promise<void> {
  const cgroups = await machineCgroups(machine);
  if (cgroups.length === 0) return;
  await withLevelsLock(async () => {
    for (const { folder } of cgroups) {
      await removeEmptyTree(folder);
      const stack = path.dirname(folder);
      for (const level of [stack, path.dirname(stack)]) await removeIfEmpty(level);
    }
  });
  await removeTree(machineFiles(machine).cgroups);
}

async function removeEmptyTree(folder: string): Promise<void> {
  for (const name of await listKernelFolders(folder)) await removeEmptyTree(path.join(folder, name));
  await removeIfEmpty(folder);
}
