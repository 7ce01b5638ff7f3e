import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { ProcessIdentity, ProcessOptions } from "../model/commands";
import { UserError } from "../model/user-error";

/** Starts a process that outlives this one: own session, stdin closed, output to a file. */
export function startProcess(argv: readonly string[], options: ProcessOptions): Promise<ProcessIdentity> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("startProcess needs a program");
  fs.mkdirSync(path.dirname(options.outputFile), { recursive: true });
  const output = fs.openSync(options.outputFile, "w", options.outputMode ?? 0o600);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd ?? "/",
      env: { ...process.env, ...options.env },
      detached: true,
      stdio: ["ignore", output, output],
    });
    fs.closeSync(output);
    child.on("error", (cause) => {
      reject(
        new UserError(
          "process-not-started",
          `${program} cannot be started: ${cause.message}`,
          `is ${program} installed?`,
          { cause },
        ),
      );
    });
    child.on("spawn", () => {
      child.unref();
      const pid = child.pid as number;
      // A process that has ended already has no start time any more; "0" matches no process.
      resolve({ pid, startTime: processStartTime(pid) ?? "0" });
    });
  });
}

/** Start time of a living process; `undefined` when it has ended (a zombie has). */
export function processStartTime(pid: number): string | undefined {
  const fields = processStat(pid);
  return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** Fields of `/proc/<pid>/stat` from the third (state) on; the second may hold spaces and parentheses. */
function processStat(pid: number): readonly string[] | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** Is there a process of this number, on any platform? It need not be the one that had it before. */
export function isProcessAlive(pid: number): boolean {
  if (process.platform === "linux") return processStartTime(pid) !== undefined;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It runs and belongs to another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Does this very process still live? */
export function isSameProcess(pid: number, startTime: string): boolean {
  return processStartTime(pid) === startTime;
}

/** Sends a signal, if it is still the same process. Returns whether it was sent. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  if (!isSameProcess(identity.pid, identity.startTime)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Waits until the process has ended. Returns false when it still lives after `timeoutMs`. */
export async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isSameProcess(identity.pid, identity.startTime)) {
    if (Date.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}

/** Kills the process at once and waits until it is gone; nothing happens when it already is. */
export async function killProcess(identity: ProcessIdentity, timeoutMs = 10_000): Promise<void> {
  if (!signalProcess(identity, "SIGKILL")) return;
  if (await waitForEnd(identity, timeoutMs)) return;
  throw new UserError(
    "process-not-killed",
    `process ${identity.pid} still lives ${timeoutMs} ms after SIGKILL`,
    "it hangs in the kernel: look at `dmesg`, restart the host if it stays",
  );
}
