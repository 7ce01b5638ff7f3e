import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { exists } from "./file-store";

const GiB = 2 ** 30;

/** Free space for a folder, which does not have to exist yet. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await fs.statfs(await existingFolderAbove(folder));
  return bavail * bsize;
}

export const freeGiB = async (folder: string): Promise<number> => (await freeBytes(folder)) / GiB;

async function existingFolderAbove(folder: string): Promise<string> {
  if (await exists(folder)) return folder;
  return existingFolderAbove(path.dirname(folder));
}

export const totalMemoryMiB = (): number => Math.floor(os.totalmem() / 2 ** 20);

/** Memory that programs can use without swapping. Linux counts caches that it can drop as available. */
export async function availableMemoryMiB(): Promise<number> {
  const text = await fs.readFile("/proc/meminfo", "utf8").catch(() => "");
  const kiB = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  return Math.floor(kiB ? Number(kiB) / 1024 : os.freemem() / 2 ** 20);
}

/** Load average of the last minute, per core. */
export const loadPerCore = (): number => (os.loadavg()[0] ?? 0) / os.availableParallelism();

/** The longest delay of a 5 ms timer of this process during the sample, in ms. */
export async function longestStall(sampleMs: number): Promise<number> {
  const end = performance.now() + sampleMs;
  let longest = 0;
  for (let before = performance.now(); before < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const now = performance.now();
    longest = Math.max(longest, now - before - 5);
    before = now;
  }
  return Math.round(longest);
}

/** The path of a program on PATH or in further folders; `undefined` if it is not installed. */
export async function findProgram(name: string, more: readonly string[] = []): Promise<string | undefined> {
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter(path.isAbsolute);
  for (const folder of [...folders, ...more]) {
    // A folder on PATH may be closed to this user, e.g. one of root's after `su`.
    if (await exists(path.join(folder, name)).catch(() => false)) return path.join(folder, name);
  }
  return undefined;
}
