import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { dataFolder } from "../../host/data-folder";
import { exists } from "../../host/file-store";
import { isPortFree, portHolder } from "../../host/ports";
import type { Hypervisor } from "../../hypervisors/hypervisor";
import { drivers } from "../../model/drivers";
import type { Configuration } from "../../stacks/config/configuration";
import { type Check, type Finding, ok, problem, warning } from "./check";

const GiB = 2 ** 30;
/** Room for both images with what they are built from, and for the machines' own writing. */
const IMAGE_GIB = 12;
const MACHINES_GIB = 4;

/** The program that `groundplane ssh` and `logs` run. */
export const checkSshClient: Check = async () => {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute)) {
    if (await exists(path.join(folder, "ssh"))) return [ok("ssh", `ssh is ${path.join(folder, "ssh")}`)];
  }
  return [warning("ssh", "ssh is not installed; `ssh` and `logs` need it", "apt-get install openssh-client")];
};

export const checkDiskSpace =
  (imagesPresent: () => Promise<boolean>): Check =>
  async () => {
    const free = await freeGiB();
    const needed = MACHINES_GIB + ((await imagesPresent()) ? 0 : IMAGE_GIB);
    const text = `${free.toFixed(1)} GiB are free for ${dataFolder()}, ${needed} GiB are needed`;
    const hint = "make room, or set GROUNDPLANE_DATA to a folder on another disk";
    return [free >= needed ? ok("disk-space", text) : problem("disk-space", text, hint)];
  };

export const checkMemory =
  ({ pools }: Configuration, driver: Hypervisor): Check =>
  async () => {
    const plannedMiB = Object.values(pools).reduce((sum, pool) => sum + pool.count * pool.memoryMiB, 0);
    const availableMiB = Math.floor((await availableMemory()) / 2 ** 20);
    const totalMiB = Math.floor(os.totalmem() / 2 ** 20);
    return [judgeMemory({ plannedMiB, availableMiB, totalMiB, sharesKernel: drivers[driver.name].sharesKernel })];
  };

export interface MemoryFacts {
  readonly plannedMiB: number;
  readonly availableMiB: number;
  readonly totalMiB: number;
  readonly sharesKernel: boolean;
}

/**
 * Machines take what they use, not what they may: too little free memory is a warning while the total suffices. A
 * virtual machine comes to use all of its own; a host that has less than all of them together cannot run them. Pure.
 */
export function judgeMemory({ plannedMiB, availableMiB, totalMiB, sharesKernel }: MemoryFacts): Finding {
  const text = `the machines may use ${plannedMiB} MiB of memory, ${availableMiB} MiB are available`;
  const hint = "end other programs, lower counts or memoryMiB, or use the stack `small`";
  if (!sharesKernel && plannedMiB > totalMiB) return problem("memory", `${text}, of ${totalMiB} in all`, hint);
  return plannedMiB <= availableMiB ? ok("memory", text) : warning("memory", text, hint);
}

/** System disks and data disks of virtual machines are files that grow: how far, against what is free. Pure. */
export function judgeGrowth({ pools }: Pick<Configuration, "pools">, freeGiB: number): Finding {
  const grown = Object.values(pools).reduce((sum, { count, diskGiB, disks }) => {
    return sum + count * (diskGiB + disks.reduce((all, { sizeGiB }) => all + sizeGiB, 0));
  }, 0);
  const text = `the machines' disks may grow to ${grown} GiB, ${freeGiB.toFixed(1)} GiB are free`;
  const hint = "they begin small; make room before they are full, or lower diskGiB";
  return grown <= freeGiB ? ok("disk-growth", text) : warning("disk-growth", text, hint);
}

export const checkGrowth =
  (configuration: Configuration, driver: Hypervisor): Check =>
  async () =>
    drivers[driver.name].imageForm === "disk" ? [judgeGrowth(configuration, await freeGiB())] : [];

export const checkPorts =
  (configuration: Configuration, driver: Hypervisor): Check =>
  async () => {
    const gateway = await driver.inspectMachine({ stack: configuration.name, name: "gateway" }).catch(() => undefined);
    const { api, ssh } = configuration.hostPorts;
    if (gateway?.power === "running") return [ok("host-ports", `ports ${api} and ${ssh} lead to the running gateway`)];
    const taken = (await Promise.all([api, ssh].map(async (port) => ((await isPortFree(port)) ? [] : [port])))).flat();
    if (taken.length === 0) return [ok("host-ports", `ports ${api} and ${ssh} of 127.0.0.1 are free`)];
    const hint = "end that program, or give the stack other ports with hostPorts";
    return Promise.all(
      taken.map(async (port) => {
        const holder = (await portHolder(port)) ?? "somebody who cannot be seen";
        return problem("host-ports", `port ${port} of 127.0.0.1 is held by ${holder}`, hint);
      }),
    );
  };

/** Where the data folder is or is going to be. */
async function freeGiB(): Promise<number> {
  const { bavail, bsize } = await fs.statfs(await existingFolderAbove(dataFolder()));
  return (bavail * bsize) / GiB;
}

async function availableMemory(): Promise<number> {
  const text = await fs.readFile("/proc/meminfo", "utf8").catch(() => "");
  const kiB = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  return kiB ? Number(kiB) * 1024 : os.freemem();
}

async function existingFolderAbove(folder: string): Promise<string> {
  if (await exists(folder)) return folder;
  return existingFolderAbove(path.dirname(folder));
}

const STALL_SAMPLE_MS = 1_000;
const STALL_MS = 100;

/**
 * A balancer that the host does not let run for a quarter of a second counts as dead with `failover: fast`. How late timers
 * of this process come is how long a machine's would be kept waiting.
 */
export const checkFailover =
  (configuration: Configuration, isEmulated: () => Promise<boolean>): Check =>
  async () => {
    const stallMs = Math.round(await longestStall(STALL_SAMPLE_MS));
    const load = (os.loadavg()[0] ?? 0) / os.availableParallelism();
    return [judgeFailover(configuration, { stallMs, load, isEmulated: await isEmulated() })];
  };

export interface HostPace {
  readonly stallMs: number;
  /** For each core. */
  readonly load: number;
  /** The machines' processors are programs. */
  readonly isEmulated: boolean;
}

/** Which profile suits a host of this pace. */
export function judgeFailover({ options, pools }: Configuration, { stallMs, load, isEmulated }: HostPace): Finding {
  const text = `this host kept a timer waiting for ${stallMs} ms, its load is ${load.toFixed(1)} for each core`;
  if (options.failover === "calm") return ok("failover", text);
  if (isEmulated) {
    const problem = "emulated processors are too slow for `failover: fast`: masters that live may count as dead";
    return warning("failover", problem, "write `options: {failover: calm}`");
  }
  if (pools.balancers.count < 2) return ok("failover", text);
  if (stallMs <= STALL_MS && load <= 2) return ok("failover", `${text}: \`failover: fast\` suits it`);
  const hint = "wait until it is quieter, or write `options: {failover: calm}` if it is always so";
  return warning("failover", `${text}: balancers and nodes that live may count as dead`, hint);
}

/** By how much a timer of 5 ms was late at most. */
async function longestStall(sampleMs: number): Promise<number> {
  const end = performance.now() + sampleMs;
  let longest = 0;
  for (let before = performance.now(); before < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const now = performance.now();
    longest = Math.max(longest, now - before - 5);
    before = now;
  }
  return longest;
}
