import { type ChildProcess, spawn } from "node:child_process";
import * as os from "node:os";
import { createInterface } from "node:readline";
import { UserError } from "../model/user-error";

export interface AttachedOptions {
  readonly cwd?: string;
  /** Added to this process' environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const passedOn: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP"];

/**
 * Runs a command on this process' terminal to its end. Returns its exit code, or 128 + n if signal n ended it.
 *
 * Ctrl-C reaches the command directly, because it is in the terminal's foreground group. The command decides how to
 * react; this process only waits.
 */
export async function runAttached(argv: readonly string[], options: AttachedOptions = {}): Promise<number> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("runAttached needs a program");
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: "inherit",
  });
  const wait = (): void => {};
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", wait);
  for (const signal of passedOn) process.on(signal, pass);
  return awaitChild(child, program, "exit").finally(() => {
    process.off("SIGINT", wait);
    for (const signal of passedOn) process.off(signal, pass);
  });
}

export interface FollowOptions {
  readonly cwd?: string;
  /** Added to this process' environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Called with each line of either stream. */
  readonly onLine: (line: string) => void;
}

const sharesConsole = process.platform === "win32";
const forwarded: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs a command to its end and reads its output. The command has a separate process group, so that Ctrl-C reaches only
 * this process, which forwards each one as a single SIGINT. The command decides how to react.
 * Returns its exit code, or 128 + n if signal n ended it.
 */
export async function followCommand(argv: readonly string[], options: FollowOptions): Promise<number> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("followCommand needs a program");
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    // Windows has no process groups and no SIGINT between processes: the command shares this console and its Ctrl-C.
    detached: !sharesConsole,
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on("line", options.onLine);
  const interrupt = (): void => void (sharesConsole || child.kill("SIGINT"));
  for (const signal of forwarded) process.on(signal, interrupt);
  return awaitChild(child, program, "close").finally(() => {
    for (const signal of forwarded) process.off(signal, interrupt);
  });
}

/**
 * Waits for an interactive command. Returns its exit code, or 128 + n if signal n ended it.
 *
 * @param end `exit`: the process has ended; `close`: its output has also been read completely
 * @throws UserError `process-not-started`
 */
export function awaitChild(child: ChildProcess, program: string, end: "exit" | "close"): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => {
      const problem = `${program} cannot be started: ${cause.message}`;
      reject(new UserError("process-not-started", problem, `is ${program} installed?`, { cause }));
    });
    child.on(end, (code: number | null, signal: NodeJS.Signals | null) =>
      resolve(code ?? 128 + (signal ? os.constants.signals[signal] : 0)),
    );
  });
}
