import { type ChildProcess, spawn } from "node:child_process";
import * as path from "node:path";
import { sshWords } from "../../guests/ssh-files";
import type { ProjectCopy } from "./project-copy";
import { SharedConnections } from "./shared-connections";

export interface CommandOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const STALE_MS = 3_000;

/** One stack of a project copy. Tests operate it as a user does: with `groundplane`, `pulumi` and `kubectl`. */
export class ClusterUnderTest {
  /** The output of all commands, which must not contain a secret. */
  readonly transcript: string[] = [];

  private readonly listeners = new Set<(line: string) => void>();
  private readonly running = new Map<ChildProcess, Promise<unknown>>();
  private isEnded = false;
  /** The code that a shell evaluates once, before all of its `pulumi` commands. */
  private exports: string | undefined;
  /** Open since `groundplane ssh` has written its files, until the stack may change. */
  private connections: SharedConnections | undefined;

  constructor(
    readonly project: ProjectCopy,
    readonly stack: string,
  ) {}

  async groundplane(...args: string[]): Promise<CommandOutput> {
    const command = [process.execPath, "cli/groundplane.cjs", ...args, "--stack", this.stack];
    return ["start", "destroy"].includes(args[0] ?? "") ? this.changing(command) : this.run(command);
  }

  /** `pulumi` in a shell after `eval "$(npx groundplane env)"`. */
  async pulumi(...args: string[]): Promise<CommandOutput> {
    this.exports ??= mustSucceed("env", await this.groundplane("env")).stdout;
    return this.changing(["bash", "-c", 'eval "$0"; exec pulumi "$@"', this.exports, ...args, "--stack", this.stack]);
  }

  /** Runs kubectl on a master, so that the host does not need it. */
  async kubectl(master: string, ...args: string[]): Promise<CommandOutput> {
    return this.onNode(master, "kubectl --kubeconfig /etc/kubernetes/admin.conf", ...args);
  }

  /**
   * `groundplane ssh`. It reads the stack's outputs, which costs a processor a second, and then runs the system's ssh with files
   * that it writes. Later commands run ssh with these files directly and share connections, because tests ask nodes hundreds of
   * times.
   */
  async onNode(node: string, ...command: string[]): Promise<CommandOutput> {
    const words = command.join(" ");
    if (this.connections) return this.overShared(this.connections, node, words);
    const output = await this.run([
      ...[process.execPath, "cli/groundplane.cjs", "ssh", "--stack", this.stack, node, "--", words],
    ]);
    const config = path.join(this.project.data, "stacks", this.stack, "ssh", "config");
    if (output.exitCode === 0) this.connections ??= new SharedConnections(config);
    return output;
  }

  private async overShared({ config, own }: SharedConnections, node: string, words: string): Promise<CommandOutput> {
    const started = performance.now();
    const output = await this.run(sshWords(config, node, [words]));
    // ssh's own exit code, at once: most likely the connection was of a machine that has lost its power since.
    const isStale = output.exitCode === 255 && performance.now() - started < STALE_MS;
    return isStale ? this.run(sshWords(own, node, [words])) : output;
  }

  /** A command after which the stack may have other nodes. */
  private async changing(argv: readonly string[]): Promise<CommandOutput> {
    this.disconnect();
    return this.run(argv).finally(() => this.disconnect());
  }

  /** Before the stack may have other nodes. */
  disconnect(): void {
    this.connections?.stop();
    this.connections = undefined;
  }

  async run(argv: readonly string[], options: { readonly quiet?: boolean } = {}): Promise<CommandOutput> {
    if (this.isEnded) throw new Error("the test has been interrupted");
    const [file, ...args] = argv as [string, ...string[]];
    const child = spawn(file, args, {
      cwd: this.project.folder,
      env: this.project.environment,
      stdio: ["ignore", "pipe", "pipe"],
      // A separate process group gets Ctrl-C only through `interrupt`, because Pulumi aborts at the second signal.
      detached: true,
    });
    const text = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      let rest = "";
      child[stream].on("data", (chunk: Buffer) => {
        const part = chunk.toString("utf8");
        text[stream] += part;
        const lines = (rest + part).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) for (const listen of this.listeners) listen(line);
      });
    }
    const ended = new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve(code ?? 128));
    });
    this.running.set(child, ended);
    const exitCode = await ended.finally(() => this.running.delete(child));
    // The test reads the secrets with `--show-secrets`, so the search for secrets leaves out this output.
    if (!options.quiet && !argv.includes("--show-secrets")) this.transcript.push(text.stdout, text.stderr);
    return { exitCode, ...text };
  }

  /** Passes on each line that a command prints, as soon as it does, until the returned function is called. */
  onLine(listen: (line: string) => void): () => void {
    this.listeners.add(listen);
    return () => void this.listeners.delete(listen);
  }

  /** Ends the running commands as Ctrl-C does, and prevents new commands. */
  async interrupt(): Promise<void> {
    this.isEnded = true;
    this.disconnect();
    for (const child of this.running.keys()) child.kill("SIGINT");
    await Promise.allSettled(this.running.values());
  }
}

/** Fails with the command's output if the command fails. */
export function mustSucceed(what: string, output: CommandOutput): CommandOutput {
  if (output.exitCode === 0) return output;
  // Errors come first, because the report of a run shows the first lines of a failure.
  const shown = [errorsOf(output.stdout), lastError(output.stderr), tail(output.stderr), tail(output.stdout)];
  throw new Error([`${what} exited with code ${output.exitCode}`, ...shown.filter((text) => text !== "")].join("\n"));
}

/** The error with which groundplane ends, and its reasons below it. */
const lastError = (text: string): string => /^error: (?![\s\S]*^error: )[\s\S]*/m.exec(text)?.[0].trimEnd() ?? "";

/** The lines of errors: in Pulumi's list of diagnostics if there is one, otherwise in the whole output. */
const errorsOf = (text: string): string =>
  text
    .slice(Math.max(text.lastIndexOf("\nDiagnostics:"), 0))
    .split("\n")
    .filter((line) => /\berror: /.test(line))
    .join("\n");

/** Removes Pulumi's progress lines, which are repeated every second and would displace the failure. */
const isProgress = (line: string): boolean => /^\s*@ |(?:creating|updating|deleting) \(\d+s\)(?! error)/.test(line);

const tail = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !isProgress(line))
    .slice(-60)
    .join("\n");

/**
 * How long a test waits for what has to come, in milliseconds. It is generous, because other tests and builds may use the
 * processors. `verify` and `test/bench` measure how long things take.
 */
export const patienceMs = 180_000;

/** Repeats an action until its result is as expected. Fails with the last result. */
export async function eventually<T>(
  what: string,
  deadlineMs: number,
  action: () => Promise<T>,
  right: (result: T) => boolean,
): Promise<T> {
  const begin = performance.now();
  for (;;) {
    const result = await action();
    if (right(result)) return result;
    const waitedMs = performance.now() - begin;
    if (waitedMs > deadlineMs)
      throw new Error(`${what}: timed out after ${deadlineMs} ms; last: ${JSON.stringify(result)}`);
    // Each call of kubectl takes a fifth of a second of processor time, which the machines need for what is awaited.
    await new Promise((resolve) => setTimeout(resolve, Math.min(Math.max(500, waitedMs / 15), 3_000)));
  }
}
