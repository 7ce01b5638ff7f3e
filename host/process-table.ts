import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { ProcessIdentity } from "../model/commands";
import { isProcessAlive, processStartTime } from "./process-state";
import { runCommand } from "./run-command";

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

/** The command of a running process; empty if it cannot be examined; `undefined` if no such process runs. */
export async function runningCommand(pid: number): Promise<string | undefined> {
  if (!isProcessAlive(pid)) return undefined;
  if (process.platform === "linux") {
    const [name, argv] = await Promise.all(
      ["comm", "cmdline"].map((file) => fs.readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")),
    );
    return [name?.trim(), path.basename(argv?.split("\0")[0] ?? "")].filter(Boolean).join(" ");
  }
  const argv =
    process.platform === "win32"
      ? ["tasklist", "/FI", `PID eq ${pid}`, "/FO", "CSV", "/NH"]
      : ["ps", "-p", String(pid), "-o", "comm="];
  return runCommand(argv, { timeoutMs: 10_000 }).then(
    ({ stdout }) => stdout.trim(),
    () => "",
  );
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
