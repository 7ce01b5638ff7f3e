import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { awaitChild } from "./await-child";

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
 * Runs a command to its end while its output is read, and lets it decide what Ctrl-C means: the command has a process
 * group of its own, so that a terminal's Ctrl-C reaches this process alone, which passes on each of them as one SIGINT.
 * Returns its exit code, 128 + n when signal n ended it.
 */
export async function followCommand(argv: readonly string[], options: FollowOptions): Promise<number> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("followCommand needs a program");
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    // Windows knows no groups and no SIGINT for others: there the command shares this console and its Ctrl-C.
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
