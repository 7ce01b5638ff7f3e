import * as fs from "node:fs/promises";
import type { ProcessIdentity } from "../model/commands";
import { processStartTime } from "./start-process";

/** The processes whose argv satisfies the predicate. Kernel threads and zombies have no argv. */
export async function findProcesses(
  matches: (argv: readonly string[]) => boolean,
): Promise<readonly ProcessIdentity[]> {
  const found = await Promise.all(
    (await allPids()).map(async (pid) => {
      const startTime = processStartTime(pid);
      const commandLine = await fs.readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      const argv = commandLine.split("\0").slice(0, -1);
      return startTime !== undefined && argv.length > 0 && matches(argv) ? [{ pid, startTime }] : [];
    }),
  );
  return found.flat();
}

/** The process that has this socket inode open: `<command> (process <pid>)`; `undefined` if none is found. */
export async function socketHolder(inode: string): Promise<string | undefined> {
  for (const pid of await allPids()) if (await hasOpen(pid, `socket:[${inode}]`)) return describeProcess(pid);
  return undefined;
}

/** The processes that have a file open, as `<command> (process <pid>)`. Only root sees processes of other users. */
export async function fileHolders(file: string): Promise<readonly string[]> {
  const found = await Promise.all(
    (await allPids()).map(async (pid) => ((await hasOpen(pid, file)) ? [await describeProcess(pid)] : [])),
  );
  return found.flat();
}

async function hasOpen(pid: number, target: string): Promise<boolean> {
  for (const file of await fs.readdir(`/proc/${pid}/fd`).catch(() => [])) {
    if ((await fs.readlink(`/proc/${pid}/fd/${file}`).catch(() => "")) === target) return true;
  }
  return false;
}

async function describeProcess(pid: number): Promise<string> {
  const command = await fs.readFile(`/proc/${pid}/comm`, "utf8").catch(() => "a process that has just ended");
  return `${command.trim()} (process ${pid})`;
}

async function allPids(): Promise<readonly number[]> {
  const entries = await fs.readdir("/proc");
  return entries.filter((entry) => /^\d+$/.test(entry)).map(Number);
}
