import { type ChildProcess, spawn } from "node:child_process";
import type { ProjectCopy } from "./project-copy";

export interface CommandOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One stack of a project copy, driven as a user drives it: by `groundplane`, `pulumi` and `kubectl`. */
export class ClusterUnderTest {
  /** Everything that any command printed: no secret may ever be found in it. */
  readonly transcript: string[] = [];

  private readonly running = new Map<ChildProcess, Promise<unknown>>();
  private isEnded = false;

  constructor(
    readonly project: ProjectCopy,
    readonly stack: string,
  ) {}

  groundplane(...args: string[]): Promise<CommandOutput> {
    return this.run([process.execPath, "cli/groundplane.cjs", ...args, "--stack", this.stack]);
  }

  /** `pulumi` exactly as a shell after `eval "$(npx groundplane env)"` would run it. */
  async pulumi(...args: string[]): Promise<CommandOutput> {
    const script = 'eval "$("$0" cli/groundplane.cjs env --stack "$1")"; shift; exec pulumi "$@"';
    return this.run(["bash", "-c", script, process.execPath, this.stack, ...args, "--stack", this.stack]);
  }

  /** kubectl on a master, so that the host needs none. */
  async kubectl(master: string, ...args: string[]): Promise<CommandOutput> {
    return this.onNode(master, "kubectl --kubeconfig /etc/kubernetes/admin.conf", ...args);
  }

  onNode(node: string, ...command: string[]): Promise<CommandOutput> {
    return this.run([
      process.execPath,
      "cli/groundplane.cjs",
      "ssh",
      "--stack",
      this.stack,
      node,
      "--",
      command.join(" "),
    ]);
  }

  async run(argv: readonly string[], options: { readonly quiet?: boolean } = {}): Promise<CommandOutput> {
    if (this.isEnded) throw new Error(`${argv.join(" ")}: the test has been interrupted`);
    const [file, ...args] = argv as [string, ...string[]];
    const child = spawn(file, args, {
      cwd: this.project.folder,
      env: this.project.environment,
      stdio: ["ignore", "pipe", "pipe"],
      // In a group of its own: Ctrl-C in a terminal reaches it by `interrupt` alone. Pulumi gives up at the second one.
      detached: true,
    });
    const text = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].on("data", (chunk: Buffer) => {
        text[stream] += chunk.toString("utf8");
      });
    }
    const ended = new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve(code ?? 128));
    });
    this.running.set(child, ended);
    const exitCode = await ended.finally(() => this.running.delete(child));
    // `--show-secrets` is how the test itself learns the secrets; that output is not part of what must be clean.
    if (!options.quiet && !argv.includes("--show-secrets")) this.transcript.push(text.stdout, text.stderr);
    return { exitCode, ...text };
  }

  /** Ends the commands that run, as Ctrl-C does, and lets no other one begin. */
  async interrupt(): Promise<void> {
    this.isEnded = true;
    for (const child of this.running.keys()) child.kill("SIGINT");
    await Promise.allSettled(this.running.values());
  }
}

/** Fails with all that the command said. */
export function mustSucceed(what: string, output: CommandOutput): CommandOutput {
  if (output.exitCode === 0) return output;
  throw new Error(`${what} ended with ${output.exitCode}\n${tail(output.stdout)}\n${tail(output.stderr)}`);
}

/** What Pulumi repeats every second while it waits would push out what failed. */
const isProgress = (line: string): boolean => /^\s*@ |(?:creating|updating|deleting) \(\d+s\)(?! error)/.test(line);

const tail = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !isProgress(line))
    .slice(-60)
    .join("\n");

/** Asks until the answer is right; fails with the last one. */
export async function eventually<T>(
  what: string,
  deadlineMs: number,
  ask: () => Promise<T>,
  right: (answer: T) => boolean,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (right(answer)) return answer;
    if (performance.now() > end)
      throw new Error(`${what}: not within ${deadlineMs} ms; last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
