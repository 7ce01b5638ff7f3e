import { type ChildProcess, spawn } from "node:child_process";
import { CommandError, type CommandOptions, type CommandResult } from "../model/commands";

/** A command that hangs must not hang its caller forever. What may take longer, such as a build, names its own limit. */
const DEFAULT_LIMIT_MS = 30 * 60_000;

/**
 * Runs a short command to its end and returns its output. Never uses a shell.
 *
 * @throws CommandError if the command cannot be started, returns an exit code that is not allowed, is killed by a
 * signal, or exceeds its time limit.
 */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program, ...args] = argv;
  if (program === undefined) throw new Error("runCommand needs a program");
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      // A separate process group, because a time limit must also end the command's child processes.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
      // On Windows a detached process would also get a separate window.
      windowsHide: true,
    });
    const stdout = collect(child.stdout, (line) => options.onLine?.(line, "stdout"));
    const stderr = collect(child.stderr, (line) => options.onLine?.(line, "stderr"));
    let endedBy = "";
    let grace: NodeJS.Timeout | undefined;
    const end = (why: string) => {
      endedBy ||= why;
      if (options.graceMs === undefined) return killGroup(child, "SIGKILL");
      killGroup(child, "SIGTERM");
      grace ??= setTimeout(() => killGroup(child, "SIGKILL"), options.graceMs);
    };
    const limitMs = options.timeoutMs ?? DEFAULT_LIMIT_MS;
    const timer = setTimeout(() => end(`took longer than ${limitMs} ms`), limitMs);
    const onAbort = () => end("was aborted");
    if (options.signal?.aborted) onAbort();
    options.signal?.addEventListener("abort", onAbort, { once: true });
    const finish = () => {
      clearTimeout(timer);
      clearTimeout(grace);
      options.signal?.removeEventListener("abort", onAbort);
    };

    child.on("error", (cause) => {
      finish();
      reject(new CommandError(argv, null, "", "", `cannot be started (${cause.message})`, { cause }));
    });
    child.on("close", (exitCode, signal) => {
      finish();
      const [out, err] = [stdout(), stderr()];
      const allowed = options.allowedExitCodes ?? [0];
      if (!endedBy && exitCode !== null && allowed.includes(exitCode)) resolve({ stdout: out, stderr: err, exitCode });
      else reject(new CommandError(argv, exitCode, out, err, endedBy || describeEnd(exitCode, signal), { signal }));
    });
    // A command can end before it has read all its input (EPIPE). Its exit code shows whether that is a failure.
    child.stdin.on("error", () => {});
    child.stdin.end(options.stdin ?? "");
  });
}

function describeEnd(exitCode: number | null, signal: NodeJS.Signals | null): string {
  return signal ? `was killed by ${signal}` : `failed with exit code ${exitCode}`;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    // Windows has no process groups, so only the command itself is killed.
    if (process.platform === "win32") child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // The process has already ended.
  }
}

function collect(stream: NodeJS.ReadableStream, onLine: (line: string) => void): () => string {
  let text = "";
  let lineStart = 0;
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf("\n", lineStart); end >= 0; end = text.indexOf("\n", lineStart)) {
      onLine(text.slice(lineStart, end));
      lineStart = end + 1;
    }
  });
  stream.on("end", () => {
    if (lineStart < text.length) onLine(text.slice(lineStart));
  });
  return () => text;
}
