import { type HostFinding, ok, problem, warning } from "../../model/host-finding";

/** What a host has, against what a stack's machines need. Pure; `host/host-capacity.ts` measures. */

/** The machines of a stack by pool, as its configuration describes them. */
export type PlannedPools = Readonly<
  Record<
    string,
    {
      readonly count: number;
      readonly memoryMiB: number;
      readonly diskGiB: number;
      readonly disks: readonly { readonly sizeGiB: number }[];
    }
  >
>;

/** For both images and the parts that they are built from, and for what the machines write. */
const IMAGES_GIB = 12;
const MACHINES_GIB = 4;

export function judgeDiskSpace(folder: string, freeGiB: number, hasImages: boolean): HostFinding {
  const needed = MACHINES_GIB + (hasImages ? 0 : IMAGES_GIB);
  const text = `${folder} has ${freeGiB.toFixed(1)} GiB of free space, ${needed} GiB are required`;
  if (freeGiB >= needed) return ok("disk-space", text);
  return problem("disk-space", text, "free some space, or set GROUNDPLANE_DATA to a folder on another disk");
}

export interface MemoryFacts {
  readonly availableMiB: number;
  readonly totalMiB: number;
  /** Of the driver. */
  readonly sharesKernel: boolean;
}

/**
 * System containers take the memory that they use, so too little available memory is only a warning. A virtual machine
 * ends up using all of its memory: a host with less than the sum cannot run them.
 */
export function judgeMemory(pools: PlannedPools, { availableMiB, totalMiB, sharesKernel }: MemoryFacts): HostFinding {
  const plannedMiB = Object.values(pools).reduce((sum, pool) => sum + pool.count * pool.memoryMiB, 0);
  const text = `the machines use up to ${plannedMiB} MiB of memory, ${availableMiB} MiB are available`;
  const hint = "end other programs, lower counts or memoryMiB, or use the stack `small`";
  if (!sharesKernel && plannedMiB > totalMiB) return problem("memory", `${text} of ${totalMiB} MiB`, hint);
  return plannedMiB <= availableMiB ? ok("memory", text) : warning("memory", text, hint);
}

/** System disks and data disks of virtual machines are files that grow; those of containers share one file system. */
export function judgeGrowth(pools: PlannedPools, freeGiB: number): HostFinding {
  const grown = Object.values(pools).reduce((sum, { count, diskGiB, disks }) => {
    return sum + count * (diskGiB + disks.reduce((all, { sizeGiB }) => all + sizeGiB, 0));
  }, 0);
  const text = `the machines' disks can grow to ${grown} GiB, ${freeGiB.toFixed(1)} GiB are free`;
  const hint = "they start small; free some space before they are full, or lower diskGiB";
  return grown <= freeGiB ? ok("disk-growth", text) : warning("disk-growth", text, hint);
}

/** `failover: fast` counts a balancer as dead that the host does not run for a quarter of a second. */
const STALL_MS = 100;
const LOAD_PER_CORE = 2;

export interface HostPace {
  /** How late a timer of this process fired; a machine waits as long. */
  readonly stallMs: number;
  readonly loadPerCore: number;
  /** True when the machines' processors are emulated in software. */
  readonly isEmulated: boolean;
}

export interface FailoverWishes {
  readonly options: { readonly failover: string };
  readonly pools: { readonly balancers: { readonly count: number } };
}

/** Which failover profile suits a host of this pace. */
export function judgeFailover({ options, pools }: FailoverWishes, pace: HostPace): HostFinding {
  const { stallMs, loadPerCore, isEmulated } = pace;
  const text = `the longest delay of a timer was ${stallMs} ms, the load per core is ${loadPerCore.toFixed(1)}`;
  if (options.failover === "calm") return ok("failover", text);
  if (isEmulated) {
    const risk = "emulated processors are too slow for `failover: fast`: healthy masters may count as dead";
    return warning("failover", risk, "set `options: {failover: calm}`");
  }
  if (pools.balancers.count < 2) return ok("failover", text);
  if (stallMs <= STALL_MS && loadPerCore <= LOAD_PER_CORE) {
    return ok("failover", `${text}: suitable for \`failover: fast\``);
  }
  const hint = "wait until the host is idle; if it is always this busy, set `options: {failover: calm}`";
  return warning("failover", `${text}: healthy balancers and nodes may count as dead`, hint);
}
