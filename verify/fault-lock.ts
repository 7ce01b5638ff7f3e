import * as path from "node:path";
import { stackFolder } from "../host/data-folder";
import { withFileLock } from "../host/file-lock";
import { UserError } from "../model/user-error";

/**
 * Only one process at a time injects faults into a stack: a fault of another one would be measured as well, and the stack would be
 * restored in the middle of it.
 *
 * @throws UserError `faults-running`, at once
 */
export async function withFaultLock<T>(stack: string, action: () => Promise<T>): Promise<T> {
  let isHeld = false;
  const held = (): Promise<T> => {
    isHeld = true;
    return action();
  };
  return withFileLock(path.join(stackFolder(stack), "faults"), held, { timeoutMs: 0 }).catch((error: unknown) => {
    throw !isHeld && error instanceof UserError && error.id === "locked" ? faultsRunning(stack) : error;
  });
}

const faultsRunning = (stack: string): UserError =>
  new UserError(
    "faults-running",
    `another process, a \`verify\` or a \`view\`, injects a fault into ${stack} now`,
    "wait until it has ended: it restores the stack, also after Ctrl-C",
  );
