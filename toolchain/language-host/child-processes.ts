import { type ChildProcess, spawn } from "node:child_process";

export interface ChildEnd {
  /** `undefined` when a signal ended the child. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface ChildStart {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly onStdout: (chunk: Buffer) => void;
  readonly onStderr: (chunk: Buffer) => void;
}

const running = new Set<ChildProcess>();

/** Runs a child to its end; rejects when it cannot be started. */
export function runChild(file: string, args: readonly string[], start: ChildStart): Promise<ChildEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: start.folder,
      env: start.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    child.stdout.on("data", start.onStdout);
    child.stderr.on("data", start.onStderr);
    child.on("error", (error) => {
      running.delete(child);
      reject(error);
    });
    child.on("close", (code, signal) => {
      running.delete(child);
      resolve({ code: code ?? undefined, signal: signal ?? undefined });
    });
  });
}

/** Ends all running children. */
export function signalChildren(signal: NodeJS.Signals): void {
  for (const child of running) child.kill(signal);
}
