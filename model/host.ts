import type { HostProcesses, RunCommand } from "./commands";
import type { HostFiles, KernelFiles } from "./host-files";
import type { HostTrees } from "./host-trees";

/**
 * The host that groundplane runs on: everything that drivers and the image builder ask of it. `host/local-host.ts`
 * implements it for this machine, `test/support/recording-host.ts` for tests. test/contract/host.test.ts holds both to
 * the comments here.
 */
export interface Host {
  readonly facts: HostFacts;
  readonly folders: HostFolders;
  readonly run: RunCommand;
  readonly processes: HostProcesses;
  readonly files: HostFiles;
  readonly trees: HostTrees;
  readonly kernel: KernelFiles;
  readonly locks: HostLocks;
  readonly sockets: HostSockets;
  readonly ports: HostPorts;
  readonly network: HostNetwork;
  readonly namespaces: HostNamespaces;
  readonly clock: HostClock;
}

export interface HostFacts {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** e.g. `6.1.0-25-amd64` */
  readonly kernelRelease: string;
  /** `undefined` where users have no numbers, as on Windows. */
  readonly uid: number | undefined;
  readonly userName: string;
  readonly homeFolder: string;
  readonly temporaryFolder: string;
  /** IPv4 addresses of this host's interfaces at this moment, without its loopback. */
  readonly addresses: readonly string[];
  /** Environment variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of the Node.js program that runs this process. */
  readonly nodeProgram: string;
  /** Of this process. */
  readonly pid: number;
}

/** Where groundplane keeps its files. */
export interface HostFolders {
  /** The one folder with everything that outlives a command. */
  data(): string;
  /** Sealed images by name. */
  images(): string;
  /** Parts that images are made of, by digest. */
  parts(): string;
  /** Programs that groundplane built or downloaded for the host. */
  tools(): string;
  /** Everything that one stack's machines have on this host. */
  stack(stack: string): string;
  /** Data disks; they outlive their stack. */
  disks(stack: string): string;
  /** The folder of groundplane itself. */
  project(): string;
}

export interface LockOptions {
  /** How long to wait for the holder; default 60 s. */
  readonly timeoutMs?: number;
  /** Programs that the holder started may run for moments after it is killed: the next caller waits ten seconds. */
  readonly childrenOutlive?: boolean;
  /** Called once when the lock is held by something else, so that a long wait can be shown. */
  readonly onWait?: () => void;
}

export interface HostLocks {
  /**
   * Runs `action` while nothing else, in this process or another, runs under the same lock file. Not reentrant.
   * When a holder dies, the next one continues: immediately on Linux, with `childrenOutlive` and elsewhere after ten seconds.
   *
   * @throws UserError `locked` when the lock cannot be acquired within the time limit
   */
  withLock<T>(file: string, action: () => Promise<T>, options?: LockOptions): Promise<T>;
}

/** A connection to a Unix socket over which both sides send lines. */
export interface LineConnection {
  send(line: string): void;
  /**
   * The next line, received already or still to come.
   * @throws Error when the other side has closed or sends nothing for `timeoutMs`
   */
  next(timeoutMs: number): Promise<string>;
  close(): void;
}

/** Unix sockets, from the client's side. */
export interface HostSockets {
  /**
   * Sends a question and returns everything that is answered until the other side closes.
   * @throws Error when nothing listens or the answer takes longer than `timeoutMs`, default 5 s
   */
  ask(path: string, question: string, timeoutMs?: number): Promise<string>;
  /** @throws Error when nothing listens */
  connectLines(path: string): Promise<LineConnection>;
}

/** TCP ports of 127.0.0.1. */
export interface HostPorts {
  /** Can a program listen on this port now? */
  isFree(port: number): Promise<boolean>;
  /** A port that is free now. */
  findFree(): Promise<number>;
  /** The program that listens on it: `<command> (process <pid>)`; `undefined` when it cannot be found. */
  holderOf(port: number): Promise<string | undefined>;
}

export interface HttpOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Certificates to trust instead of the public ones, PEM. */
  readonly ca?: string;
  /** Accepts plain HTTP; only for an address that the user has set. */
  readonly allowHttp?: boolean;
  readonly signal?: AbortSignal;
  /** Milliseconds without any data after which the server counts as unreachable; default 30 s. */
  readonly idleTimeoutMs?: number;
}

export interface DownloadOptions extends HttpOptions {
  /** Hex. The file does not have its final name before it has this checksum. */
  readonly sha256: string;
  /** Called repeatedly with the bytes present and, when the server reports it, the total. */
  readonly onProgress?: (present: number, total: number | undefined) => void;
}

/**
 * HTTPS, through the proxy in `HTTPS_PROXY` or `HTTP_PROXY` (lower case, too) unless the host is loopback or in
 * `NO_PROXY`.
 */
export interface HostNetwork {
  /**
   * Downloads a file. Resumes from `<file>.partial` of an earlier, interrupted attempt.
   *
   * @throws UserError `network` when the server cannot be reached or the connection breaks (the partial file is kept),
   * `download-refused` for any answer but success, `checksum` when the content is not as expected (it is removed)
   */
  download(url: string, file: string, options: DownloadOptions): Promise<void>;
  /**
   * The body of an answer as text, at most 4 MiB.
   * @throws UserError `network`, `download-refused`
   */
  getText(url: string, options?: HttpOptions): Promise<string>;
  /**
   * Sends a GET and ignores the body.
   * @throws UserError `network`, `download-refused`
   */
  reach(url: string, options?: HttpOptions): Promise<void>;
}

/** What keeps this user from having a user namespace. */
export interface NamespaceProblem {
  readonly problem: string;
  readonly hint: string;
}

/** Linux namespaces for single commands. */
export interface HostNamespaces {
  /** Prefix of an argv that root runs: its mounts and processes are private and end with the command. */
  readonly own: readonly string[];
  /**
   * Prefix of an argv that an ordinary user runs: the command becomes root of a user namespace, in which other owners of
   * files are the user's subordinate ids. Its mounts and processes are private and end with the command.
   */
  readonly asRoot: readonly string[];
  /** Tries to use such a user namespace; `undefined` when it works. */
  problem(): Promise<NamespaceProblem | undefined>;
  /** Is this process root of a user namespace only? It has no device nodes then, and overlays of another kind. */
  isInUserNamespace(): Promise<boolean>;
}

export interface HostClock {
  /** Milliseconds of a clock that never goes back. Its zero is arbitrary. */
  now(): number;
  /** The date and time, in ISO 8601; the host may set it back. */
  dateTime(): string;
  sleep(milliseconds: number): Promise<void>;
}
