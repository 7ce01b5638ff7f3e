import { type ChildProcess, fork } from "node:child_process";
import * as path from "node:path";
import { projectFolder } from "./project-folder";
import { longLivedEnvironment } from "./start-process";

/**
 * A program of groundplane in a process and session of its own. It ends at the latest with this process, and messages pass both ways. A kernel that
 * shares its processors among sessions gives it what it gives to the program of another user.
 */
export interface ForkedProgram {
  /** To a program that has ended: nothing happens. */
  send(message: object): void;
  onMessage(listen: (message: unknown) => void): void;
  /** Called once, with the reason why the process is gone. */
  onEnd(listen: (how: string) => void): void;
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
