import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ClientChannel } from "ssh2";

/** One command over a connection: its input, its output and its end. */

export interface RunOptions {
  /** Written to the command's standard input, which is then closed. */
  readonly stdin?: string | Buffer;
  /** In place of `stdin`: written at the command's pace. It is destroyed when the command ends before it. */
  readonly input?: Readable;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called for each line of standard output and standard error. */
  readonly onLine?: (line: string) => void;
  /** Gets standard output byte for byte, at its own pace. The result's `stdout` is then empty, and `onLine` gets standard error only. */
  readonly output?: Writable;
}

export interface RunResult {
  /** Exit code; 128 + 15 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The guest is unreachable; the outcome of its commands is unknown. */
export class UnreachableError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "UnreachableError";
  }
}

/** A command took longer than it may. */
export class LateError extends Error {
  constructor(timeoutMs: number) {
    super(`timed out after ${timeoutMs / 1000} s`);
    this.name = "LateError";
  }
}

type Action<T> = (resolve: (value: T) => void, reject: (error: unknown) => void, isOver: () => boolean) => void;

/** Ends with the signal or the time limit at the latest, whatever the action waits for. */
export function withinLimits<T>({ signal, timeoutMs }: RunOptions, action: Action<T>): Promise<T> {
  let isOver = false;
  let late: NodeJS.Timeout | undefined;
  let aborted = (): void => {};
  const limited = new Promise<T>((resolve, reject) => {
    aborted = () => reject(signal?.reason);
    if (signal?.aborted) return aborted();
    if (timeoutMs) late = setTimeout(() => reject(new LateError(timeoutMs)), timeoutMs);
    signal?.addEventListener("abort", aborted, { once: true });
    action(resolve, reject, () => isOver);
  });
  return limited.finally(() => {
    isOver = true;
    clearTimeout(late);
    signal?.removeEventListener("abort", aborted);
  });
}

/** Waits for the end of a command that has just begun. */
export function finish(channel: ClientChannel, options: RunOptions): Promise<RunResult> {
  const { signal, timeoutMs } = options;
  const piped = options.output && pipeline(channel as Readable, options.output);
  const output = {
    stdout: piped ? () => "" : collect(channel, options.onLine),
    stderr: collect(channel.stderr, options.onLine),
  };
  return new Promise((resolve, reject) => {
    let code: number | undefined;
    let late: NodeJS.Timeout | undefined;
    const stop = (error: unknown): void => {
      clearTimeout(late);
      channel.destroy();
      reject(error);
    };
    // The reader has failed: what is left unread would keep the channel open. A lost connection only ends the output.
    piped?.catch(stop);
    const aborted = (): void => stop(signal?.reason);
    if (timeoutMs) late = setTimeout(() => stop(new LateError(timeoutMs)), timeoutMs);
    channel.on("exit", (exitCode: number | null) => {
      code = exitCode ?? 128 + 15;
    });
    channel.on("close", () => {
      clearTimeout(late);
      signal?.removeEventListener("abort", aborted);
      if (code === undefined) return reject(new UnreachableError("the connection was lost while a command ran"));
      const result = { code, stdout: output.stdout(), stderr: output.stderr() };
      if (piped) piped.then(() => resolve(result), reject);
      else resolve(result);
    });
    if (signal?.aborted) aborted();
    else signal?.addEventListener("abort", aborted, { once: true });
    channel.on("error", () => undefined); // the guest closed its input early; the exit code has the result
    // An input that fails closes the channel; the caller knows why.
    if (options.input) pipeline(options.input, channel).catch(() => undefined);
    else channel.end(options.stdin ?? "");
  });
}

function collect(stream: Readable, onLine: ((line: string) => void) | undefined): () => string {
  const chunks: Buffer[] = [];
  let rest = "";
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    if (!onLine) return;
    const lines = (rest + chunk.toString("utf8")).split("\n");
    rest = lines.pop() as string;
    for (const line of lines) onLine(line);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}
