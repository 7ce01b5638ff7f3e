import * as path from "node:path";
import {
  CommandError,
  type CommandOptions,
  type CommandResult,
  commandLine,
  type ProcessIdentity,
} from "../../model/commands";
import type { Host, HostFacts, HostLocks } from "../../model/host";
import type { HostTrees } from "../../model/host-trees";
import { UserError } from "../../model/user-error";
import { MemoryFiles } from "./memory-files";
import { memoryTrees } from "./memory-trees";

/**
 * The answer of a command. Of several entries for one command, each call uses the next, and the last one is repeated.
 * `effect` does what the program does to the host.
 */
export interface ScriptedCommand {
  readonly argv: readonly string[];
  readonly stdout?: string;
  readonly stderr?: string;
  /** Default 0. `null`: the program cannot be started. */
  readonly exitCode?: number | null;
  readonly effect?: (host: RecordingHost, options: CommandOptions) => void | Promise<void>;
}

export interface RunningProcess extends ProcessIdentity {
  readonly argv: readonly string[];
}

export interface HostScript {
  readonly facts?: Partial<HostFacts>;
  /** Content by path. Folders are created as needed. */
  readonly files?: Readonly<Record<string, string>>;
  readonly devices?: Readonly<Record<string, "usable" | "forbidden">>;
  readonly commands?: readonly ScriptedCommand[];
  /** The immediate effect of a started process on the host, e.g. to listen on a socket. */
  readonly onStart?: (host: RecordingHost, process: RunningProcess) => void;
  readonly usedPorts?: readonly number[];
}

/**
 * A host in memory. It records the actions of drivers, answers the commands that a test scripts, and refuses all
 * others. Time passes only while a caller sleeps.
 */
export class RecordingHost implements Host {
  /** Commands, started and killed processes, and kernel settings, one line each, in order. */
  readonly log: string[] = [];
  readonly memory: MemoryFiles;
  readonly trees: HostTrees;
  /** The commands' standard input, if any. */
  readonly inputs: string[] = [];
  readonly namespaceFiles = new Set<string>();
  /** Answers of Unix sockets by path: to a complete request, or to each line with one or more lines. */
  readonly listeners = new Map<string, (question: string) => string>();
  readonly lineListeners = new Map<
    string,
    { greeting: readonly string[]; answer: (line: string) => readonly string[] }
  >();
  readonly alive = new Map<number, RunningProcess>();
  readonly facts: HostFacts;
  private milliseconds = 0;
  private lastPid = 100;

  constructor(private readonly script: HostScript = {}) {
    this.memory = new MemoryFiles(script.files, () => this.milliseconds);
    this.trees = memoryTrees(this.memory);
    this.facts = {
      ...{ platform: "linux", arch: "x64", kernelRelease: "6.1.0-25-amd64", uid: 0, userName: "root" },
      ...{
        homeFolder: "/root",
        temporaryFolder: "/tmp",
        nodeProgram: "/usr/bin/node",
        pid: 1,
        addresses: ["192.168.1.5"],
      },
      env: { PATH: "/usr/bin" },
      ...script.facts,
    };
  }

  get files() {
    return this.memory;
  }

  readonly folders = {
    data: () => "/data",
    images: () => "/data/images",
    parts: () => "/data/parts",
    tools: () => "/data/tools",
    stack: (stack: string) => `/data/stacks/${stack}`,
    disks: (stack: string) => `/data/disks/${stack}`,
    project: () => "/groundplane",
  };

  readonly run = async (argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> => {
    const line = commandLine(argv);
    this.log.push(line);
    if (options.stdin !== undefined) this.inputs.push(String(options.stdin));
    const scripted = this.nextAnswer(line);
    if (!scripted) throw new Error(`no test expects the command\n  ${line}\nexpected are:\n${this.expected()}`);
    const { stdout = "", stderr = "", exitCode = 0 } = scripted;
    if (exitCode === null) throw new CommandError(argv, null, "", "", "cannot be started (ENOENT)");
    await scripted.effect?.(this, options);
    for (const text of stdout.split("\n").filter(Boolean)) options.onLine?.(text, "stdout");
    if ((options.allowedExitCodes ?? [0]).includes(exitCode)) return { stdout, stderr, exitCode };
    throw new CommandError(argv, exitCode, stdout, stderr, `failed with exit code ${exitCode}`);
  };

  readonly processes = {
    start: async (
      argv: readonly string[],
      { outputFile, outputMode = 0o600 }: { outputFile: string; outputMode?: number },
    ) => {
      this.log.push(`start ${commandLine(argv)}`);
      await this.memory.writeAtomic(outputFile, "", outputMode);
      const process = { pid: ++this.lastPid, startTime: String(this.lastPid * 10), argv };
      this.alive.set(process.pid, process);
      this.script.onStart?.(this, process);
      return { pid: process.pid, startTime: process.startTime };
    },
    startTime: (pid: number) => this.alive.get(pid)?.startTime,
    isSame: (pid: number, startTime: string) => this.alive.get(pid)?.startTime === startTime,
    signal: ({ pid, startTime }: ProcessIdentity, signal: NodeJS.Signals | number) => {
      if (this.alive.get(pid)?.startTime !== startTime) return false;
      this.log.push(`signal ${signal} to ${this.alive.get(pid)?.argv[0]}`);
      return true;
    },
    kill: async ({ pid, startTime }: ProcessIdentity) => {
      const process = this.alive.get(pid);
      if (process?.startTime !== startTime) return;
      this.log.push(`kill ${process.argv[0]}`);
      this.alive.delete(pid);
    },
    find: async (matches: (argv: readonly string[]) => boolean) =>
      [...this.alive.values()].filter(({ argv }) => matches(argv)).map(({ pid, startTime }) => ({ pid, startTime })),
    holdersOf: async () => [],
  };

  readonly kernel = {
    read: async (file: string) => (await this.memory.readText(file))?.trimEnd(),
    readBytes: async (file: string) => {
      const text = await this.memory.readText(file);
      return text === undefined ? undefined : Buffer.from(text, "latin1");
    },
    write: async (file: string, value: string) => {
      this.log.push(`set ${file} ${value}`);
      this.memory.writeInPlace(file, value);
    },
    tryWrite: (file: string, value: string) =>
      this.kernel.write(file, value).then(
        () => true,
        () => false,
      ),
    listFolders: async (folder: string) => this.memory.foldersIn(folder),
    isNamespace: async (file: string) => this.namespaceFiles.has(file),
    deviceAccess: async (file: string) => this.script.devices?.[file] ?? ("absent" as const),
  };

  readonly locks: HostLocks = memoryLocks();

  readonly sockets = {
    ask: async (socket: string, question: string) => {
      const answer = this.listeners.get(socket);
      if (!answer) throw new Error(`nothing listens on ${socket}`);
      return answer(question);
    },
    connectLines: async (socket: string) => {
      const peer = this.lineListeners.get(socket);
      if (!peer) throw new Error(`nothing listens on ${socket}`);
      const arrived = [...peer.greeting];
      return {
        send: (line: string) => void arrived.push(...peer.answer(line)),
        next: async () => arrived.shift() ?? Promise.reject(new Error(`${socket} is closed`)),
        close: () => {},
      };
    },
  };

  readonly ports = {
    isFree: async (port: number) => !this.script.usedPorts?.includes(port),
    findFree: async () => 40_000,
    holderOf: async (port: number) => (this.script.usedPorts?.includes(port) ? "nginx (process 7)" : undefined),
  };

  readonly network = {
    download: (url: string) => Promise.reject(new UserError("network", `${url} cannot be reached`, "none")),
    getText: (url: string) => Promise.reject(new UserError("network", `${url} cannot be reached`, "none")),
    reach: (url: string) => Promise.reject(new UserError("network", `${url} cannot be reached`, "none")),
  };

  readonly namespaces = {
    own: ["own-namespaces"],
    asRoot: ["namespace-root"],
    problem: async () => undefined,
    isInUserNamespace: async () => false,
  };

  readonly clock = {
    dateTime: () => new Date(this.milliseconds).toISOString(),
    now: () => this.milliseconds,
    sleep: async (milliseconds: number) => {
      this.milliseconds += milliseconds;
    },
  };

  /** Every file and folder below a folder, e.g. to check that nothing remains. */
  traces(folder: string): readonly string[] {
    return this.memory.names().filter((name) => name.startsWith(path.posix.join(folder, "/")));
  }

  /** The answers to one command in the order of the script. The last one is repeated. */
  private nextAnswer(line: string): ScriptedCommand | undefined {
    const answers = this.script.commands?.filter(({ argv }) => commandLine(argv) === line) ?? [];
    const asked = this.log.filter((entry) => entry === line).length;
    return answers[Math.min(asked, answers.length) - 1];
  }

  private expected(): string {
    return (this.script.commands ?? []).map(({ argv }) => `  ${commandLine(argv)}`).join("\n");
  }
}

function memoryLocks(): HostLocks {
  const queues = new Map<string, Promise<unknown>>();
  return {
    async withLock(file, action, { timeoutMs = 60_000, onWait } = {}) {
      if (queues.has(file)) onWait?.();
      const before = queues.get(file) ?? Promise.resolve();
      const mine = inTime(before, file, timeoutMs).then(action);
      const settled = Promise.allSettled([before, mine]);
      queues.set(file, settled);
      try {
        return await mine;
      } finally {
        if (queues.get(file) === settled) queues.delete(file);
      }
    },
  };
}

async function inTime(holder: Promise<unknown>, file: string, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UserError("locked", `${file} stays locked`, "try again")), timeoutMs);
  });
  await Promise.race([holder, late]).finally(() => clearTimeout(timer));
}
