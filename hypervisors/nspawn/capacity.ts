import * as path from "node:path";
import type { Host } from "../../model/host";
import { isClusterNode } from "../../model/roles";
import type { MachineSpec } from "../hypervisor";
import { type MachineCgroup, machineCgroups, withLevelsLock } from "./cgroups";

/**
 * A machine has the processors and the memory of its plan. The guest shows them as well, see cloud-init/scripts/common/
 * show-capacity.sh: the kernel that it shares shows those of the host.
 */
export async function setCapacity(host: Host, spec: MachineSpec): Promise<void> {
  const cgroups = await machineCgroups(host, spec);
  for (const cgroup of cgroups) await setMemory(host, cgroup, spec.memoryMiB);
  // The cluster counts on the processors of its Nodes. Timers of the balancers' cluster are a quarter of a second: its members
  // need any processor that is idle.
  if (!isClusterNode(spec.roles ?? [])) return;
  await withLevelsLock(host, async () => {
    for (const cgroup of cgroups) await setProcessors(host, cgroup, spec.cpus);
  });
}

/**
 * As in a virtual machine, the limit includes the page cache. The kernel frees pages that it can read again before it ends a
 * process, also those of an image's files that other machines use.
 */
async function setMemory(host: Host, { folder, version, controllers }: MachineCgroup, mebibytes: number) {
  const bytes = String(mebibytes * 1024 * 1024);
  if (version === 2) await host.kernel.tryWrite(path.join(folder, "memory.max"), bytes);
  if (controllers.includes("memory")) await host.kernel.tryWrite(path.join(folder, "memory.limit_in_bytes"), bytes);
}

const CPUS_FILE = "cpuset.cpus";

/**
 * With fewer processors than the host, a machine keeps to those that the fewest others keep to. With as many or more, it uses
 * all of them.
 */
async function setProcessors(host: Host, { folder, version, controllers }: MachineCgroup, wanted: number) {
  if (version !== 2 && !controllers.includes("cpuset")) return;
  const levels = [path.dirname(path.dirname(folder)), path.dirname(folder)];
  const ofHost = await allowedProcessors(host, path.dirname(levels[0] as string));
  if (ofHost.length === 0) return;
  const own = parseProcessors((await host.kernel.read(path.join(folder, CPUS_FILE))) ?? "");
  if (own.length === Math.min(wanted, ofHost.length)) return;
  const chosen = chooseProcessors(ofHost, wanted, await othersProcessors(host, folder));
  // On version 1, a group must not have a processor that its parent lacks: leaves shrink first and grow last.
  const below = await foldersBelow(host, folder);
  for (const each of [...below].reverse()) await host.kernel.tryWrite(path.join(each, CPUS_FILE), chosen.join(","));
  for (const each of below) await host.kernel.tryWrite(path.join(each, CPUS_FILE), chosen.join(","));
}

/** What groups below this one may use. On version 2 only the effective list is complete. */
async function allowedProcessors(host: Host, folder: string): Promise<readonly number[]> {
  const effective = await host.kernel.read(path.join(folder, `${CPUS_FILE}.effective`));
  return parseProcessors(effective ?? (await host.kernel.read(path.join(folder, CPUS_FILE))) ?? "");
}

/** The processors of every other machine of this host's stacks. */
async function othersProcessors(host: Host, own: string): Promise<readonly (readonly number[])[]> {
  const all = path.dirname(path.dirname(own));
  const lists: (readonly number[])[] = [];
  for (const stack of await host.kernel.listFolders(all)) {
    for (const machine of await host.kernel.listFolders(path.join(all, stack))) {
      const folder = path.join(all, stack, machine);
      if (folder !== own) lists.push(parseProcessors((await host.kernel.read(path.join(folder, CPUS_FILE))) ?? ""));
    }
  }
  return lists;
}

/** The group itself first, and every group before those in it. */
async function foldersBelow(host: Host, folder: string): Promise<readonly string[]> {
  const names = await host.kernel.listFolders(folder);
  const below = await Promise.all(names.map((name) => foldersBelow(host, path.join(folder, name))));
  return [folder, ...below.flat()];
}

/** The `wanted` processors that the fewest others keep to, lowest first. A machine that uses all of them keeps to none. Pure. */
export function chooseProcessors(
  ofHost: readonly number[],
  wanted: number,
  others: readonly (readonly number[])[],
): readonly number[] {
  if (wanted >= ofHost.length) return ofHost;
  const pinned = others.filter((list) => list.length < ofHost.length).flat();
  const load = (id: number): number => pinned.filter((other) => other === id).length;
  const byLoad = [...ofHost].sort((one, other) => load(one) - load(other) || one - other);
  return byLoad.slice(0, wanted).sort((one, other) => one - other);
}

/** The kernel's list format, e.g. `0-1,4`. Pure. */
export function parseProcessors(text: string): readonly number[] {
  return text
    .trim()
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [first = 0, last = first] = part.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, position) => first + position);
    });
}
