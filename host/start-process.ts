import { type StdioOptions, spawn } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { ProcessIdentity, ProcessOptions } from "../model/commands";
import { UserError } from "../model/user-error";
import { keepOutput } from "./output-limits";
import { isSameProcess, processStartTime } from "./process-state";

/**
 * What a process that outlives this one gets of the user's environment. It stays in memory for as long as the process runs,
 * and other programs of the same user can read it: tokens, passphrases and agents of a session stay out.
 */
const LONG_LIVED =
  /^(?:PATH|HOME|USER|LOGNAME|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|XDG_RUNTIME_DIR|SYSTEMROOT|SystemRoot|windir)$/;

export const longLivedEnvironment = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => LONG_LIVED.test(name)));

/** A new process inherits the umask at this moment: what it creates is readable by its user only. */
function withPrivateUmask<T>(start: () => T): T {
  const before = process.umask(0o077);
  try {
    return start();
  } finally {
    process.umask(before);
  }
}

/** Starts a process that outlives this one: separate session, stdin closed, output to a file, minimal environment. */
export function startProcess(argv: readonly string[], options: ProcessOptions): Promise<ProcessIdentity> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("startProcess needs a program");
  fs.mkdirSync(path.dirname(options.outputFile), { recursive: true });
  fs.rmSync(options.outputFile, { force: true });
  const output = fs.openSync(options.outputFile, "w", options.outputMode ?? 0o600);
  const common = { env: { ...longLivedEnvironment(process.env), ...options.env }, detached: true };
  const keeper = keepOutput(output, options.outputLimit, common);
  return new Promise((resolve, reject) => {
    const stdio: StdioOptions = ["ignore", keeper.stdin, keeper.stdin];
    const child = withPrivateUmask(() => spawn(program, args, { cwd: options.cwd ?? "/", ...common, stdio }));
    fs.closeSync(output);
    // The process has its own handle; the keeper ends with the last one.
    keeper.stdin?.destroy();
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
      // A process that has already ended has no start time; "0" matches no process.
      resolve({ pid, startTime: processStartTime(pid) ?? "0" });
    });
  });
}

/** Sends a signal if the pid still belongs to this process. Returns whether it was sent. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  if (!isSameProcess(identity.pid, identity.startTime)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** Waits until the process has ended. Returns false if it still runs after `timeoutMs`. */
export async function waitForEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isSameProcess(identity.pid, identity.startTime)) {
    if (Date.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return true;
}

/** Kills the process immediately and waits until it has ended. Does nothing if it has already ended. */
export async function killProcess(identity: ProcessIdentity, timeoutMs = 10_000): Promise<void> {
  if (!signalProcess(identity, "SIGKILL")) return;
  if (await waitForEnd(identity, timeoutMs)) return;
  throw new UserError(
    "process-not-killed",
    `process ${identity.pid} is still running ${timeoutMs} ms after SIGKILL`,
    "it hangs in the kernel: check `dmesg`; restart the host if it persists",
  );
}
