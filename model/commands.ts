import { UserError, withoutCredentials } from "./user-error";

/**
 * Runs a short command to its end and returns its output. Never through a shell.
 *
 * @throws CommandError when it cannot be started, ends with an exit code that is not allowed, is killed by a signal,
 * or exceeds its time limit
 */
export type RunCommand = (argv: readonly string[], options?: CommandOptions) => Promise<CommandResult>;

export interface CommandOptions {
  /** Written to the command's standard input, which is closed afterwards. The place for secrets: argv is world-readable. */
  readonly stdin?: string | Buffer;
  readonly cwd?: string;
  /** Added to this process' environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** After this many milliseconds the command and its children are killed. Default: 30 minutes. */
  readonly timeoutMs?: number;
  /** How long a command that is to end has between SIGTERM and SIGKILL to clean up. Default: SIGKILL at once. */
  readonly graceMs?: number;
  readonly signal?: AbortSignal;
  /** Called with each complete line of output as it arrives. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
  /** Exit codes that count as success; default `[0]`. */
  readonly allowedExitCodes?: readonly number[];
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** Identifies a process across pid reuse. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in clock ticks since the host's boot, field 22 of `/proc/<pid>/stat`. */
  readonly startTime: string;
}

export interface ProcessOptions {
  /** File for stdout and stderr, truncated first. A pipe would block its reader for as long as the process lives. */
  readonly outputFile: string;
  /** Bytes of output to keep from the start; the rest is dropped. No output grows without end. */
  readonly outputLimit: number;
  /** Default 0600. */
  readonly outputMode?: number;
  readonly cwd?: string;
  /** Added to the few variables that a long-lived process gets: no token of the user is among them. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Long-lived processes. */
export interface HostProcesses {
  /**
   * Starts a process that outlives this one: its own session, stdin closed, output to a file, a private umask, and of the
   * user's environment only what every program needs.
   * @throws UserError `process-not-started`
   */
  start(argv: readonly string[], options: ProcessOptions): Promise<ProcessIdentity>;
  /** Start time of a live process; `undefined` when it has ended. A zombie has ended. */
  startTime(pid: number): string | undefined;
  /** Is this exact process still alive? */
  isSame(pid: number, startTime: string): boolean;
  /** Sends a signal if it is still the same process. Returns whether it was sent. */
  signal(identity: ProcessIdentity, signal: NodeJS.Signals | number): boolean;
  /**
   * Kills the process and waits until it is gone. Does nothing when it is gone already.
   * @throws UserError `process-not-killed`
   */
  kill(identity: ProcessIdentity, timeoutMs?: number): Promise<void>;
  /** The processes whose argv satisfies the predicate; kernel threads and zombies have no argv. */
  find(matches: (argv: readonly string[]) => boolean): Promise<readonly ProcessIdentity[]>;
  /** Processes that have a file open, each as `<command> (process <pid>)`. Only root sees those of other users. */
  holdersOf(file: string): Promise<readonly string[]>;
}

/** A command that failed. Keeps what is needed to repeat it manually. */
export class CommandError extends UserError {
  constructor(
    readonly argv: readonly string[],
    /** `null` when the command did not start or was killed. */
    readonly exitCode: number | null,
    readonly stdout: string,
    readonly stderr: string,
    reason: string,
    options?: { readonly cause?: unknown; readonly signal?: NodeJS.Signals | null },
  ) {
    const tail = outputTail(stderr || stdout);
    super(
      "command-failed",
      `${argv[0]} ${reason}${tail ? `:\n${tail}` : ""}`,
      `read its output, or repeat it manually: ${commandLine(argv)}`,
      options,
    );
    this.name = "CommandError";
    this.signal = options?.signal ?? null;
  }
  /** The signal that ended it. */
  readonly signal: NodeJS.Signals | null;
}

const TAIL_LINES = 20;

/** The last lines of an output, indented: enough to see the reason, short enough to be read. */
export function outputTail(output: string): string {
  const lines = output.trimEnd().split("\n").slice(-TAIL_LINES);
  return lines.map((line) => (line ? `  ${line}` : "")).join("\n");
}

/** argv as a line that can be pasted into a POSIX shell, without the credentials of URLs, which quotes could hide. */
export function commandLine(argv: readonly string[]): string {
  return argv
    .map(withoutCredentials)
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}
