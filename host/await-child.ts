import type { ChildProcess } from "node:child_process";
import * as os from "node:os";
import { UserError } from "../model/user-error";

/**
 * Waits for a command that somebody watches. Returns its exit code, 128 + n when signal n ended it.
 *
 * @param end `exit`: the process has ended; `close`: all that it wrote has been read as well
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
