import { UserError } from "../model/user-error";

const SIGNALS: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs an action that Ctrl-C interrupts. The action gets a signal to stop its commands, which are in separate process
 * groups and would otherwise outlive this process.
 *
 * @throws UserError `interrupted`
 */
export async function interruptibly<T>(stack: string, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort(interruptedError(stack));
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    return await action(interruption.signal);
  } catch (error) {
    // The error of the stopped command is irrelevant.
    interruption.signal.throwIfAborted();
    throw error;
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

export const interruptedError = (stack: string): UserError =>
  new UserError("interrupted", `${stack} was interrupted`, "run the same command again: it resumes there");

/** Until Ctrl-C or another request to end. A second one ends this process at once. */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      for (const signal of SIGNALS) process.off(signal, end);
      resolve();
    };
    for (const signal of SIGNALS) process.on(signal, end);
  });
}
