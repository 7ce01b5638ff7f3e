import { type ChildProcess, fork } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { projectFolder } from "./project-folder";
import { longLivedEnvironment } from "./start-process";

/**
 * A program of groundplane in a process and session of its own. It ends at the latest with this process, and messages pass both ways. It goes
 * before other processes where the user may decide so.
 */
export interface ForkedProgram {
  /** To a program that has ended: nothing happens. */
  send(message: object): void;
  onMessage(listen: (message: unknown) => void): void;
  /** Called once, with the reason why the process is gone. */
  onEnd(listen: (how: string) => void): void;
}

/** Less than what real-time priority would give: a program that needs more than its share still leaves processors to others. */
const NICE = -10;

/**
 * Nothing of this host would delay a client on another one. Only root may do it; without it, or without sessions that share processors, the
 * process has the priority of others.
 */
function goBeforeOthers(pid: number): void {
  try {
    os.setPriority(pid, NICE);
    fs.writeFileSync(`/proc/${pid}/autogroup`, String(NICE));
  } catch {
    // What it measures includes the time in which it waits for a processor. The bench of an upgrade shows this time.
  }
}

/** @param bundle of `dist`, without the ending */
export function forkProgram(bundle: string): ForkedProgram {
  const child: ChildProcess = fork(path.join(projectFolder(), "dist", `${bundle}.js`), {
    env: longLivedEnvironment(process.env),
    execArgv: [],
    // Windows has no sessions, and would open a window.
    detached: process.platform !== "win32",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  if (child.pid !== undefined) goBeforeOthers(child.pid);
  return {
    send(message) {
      // `onEnd` reports a process that is gone.
      child.send(message, () => {});
    },
    onMessage(listen) {
      child.on("message", listen);
    },
    onEnd(listen) {
      child.once("error", ({ message }) => listen(message));
      let how: string | undefined;
      // Its last messages may be read after its exit has been noticed.
      const tell = () => how !== undefined && !child.connected && listen(how);
      child.once("exit", (code, signal) => {
        how = signal ?? `exit code ${code}`;
        tell();
      });
      child.once("disconnect", tell);
    },
  };
}
