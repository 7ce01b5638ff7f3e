import { spawn } from "node:child_process";
import { awaitChild } from "./await-child";

export interface AttachedOptions {
  readonly cwd?: string;
  /** Added to this process' environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const passedOn: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP"];

/**
 * Runs a command on this process' own terminal, to its end. Returns its exit code, 128 + n when signal n ended it.
 *
 * Ctrl-C reaches the command directly, as a member of the terminal's foreground group, and the command decides what it
 * means: this process only waits.
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
