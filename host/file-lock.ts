import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import type { Socket } from "node:net";
import * as path from "node:path";
import { lock } from "proper-lockfile";
import type { LockOptions } from "../model/host";
import { UserError } from "../model/user-error";
import { createFolders } from "./data-folder";
import { removeIfEmpty } from "./file-store";

type Release = () => Promise<void>;

/** A killed process stops renewing its lock folder. After this time the folder counts as stale and is taken over. */
const STALE_MS = 10_000;
const POLL_MS = 20;
/** flock's exit code when another process holds the lock. */
const CONFLICT = 75;

/** Callers of this process that wait for the same file, in order. Only the first one competes with other processes. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Runs `action` while no other caller, in this process or another, runs one with the same lock file. Not reentrant.
 * If the holder's process is killed, the next caller proceeds: on Linux immediately, elsewhere after ten seconds.
 *
 * @throws UserError `locked` if the lock is not acquired within the time limit
 */
export async function withFileLock<T>(file: string, action: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const name = path.resolve(file);
  const before = queues.get(name) ?? Promise.resolve();
  const mine = before.then(() => withProcessLock(name, action, options));
  const settled = mine.catch(() => undefined);
  queues.set(name, settled);
  try {
    return await mine;
  } finally {
    if (queues.get(name) === settled) queues.delete(name);
  }
}

async function withProcessLock<T>(file: string, action: () => Promise<T>, options: LockOptions): Promise<T> {
  const release = await acquire(file, options);
  try {
    return await action();
  } finally {
    await release();
  }
}

async function acquire(file: string, { timeoutMs = 60_000, childrenOutlive }: LockOptions): Promise<Release> {
  if (process.platform === "linux" && !childrenOutlive)
    return acquireFlock(`${file}.lock`, timeoutMs, lockedError(file, timeoutMs));
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const release = await tryLockFolder(file);
    if (release) return release;
    if (Date.now() >= deadline) throw lockedError(file, timeoutMs);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * flock(2) holds in every network and pid namespace that sees the file, and the kernel releases it with the process. Node.js
 * does not offer the call, so a child holds the lock: `cat` ends when this process closes its input or dies.
 */
async function acquireFlock(file: string, timeoutMs: number, locked: UserError): Promise<Release> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const made = await createFolders(path.dirname(file), 0o700);
    const holder = await startHolder(file, Math.max(0, deadline - Date.now())).catch(async (error: unknown) => {
      // Another caller removed the folder between the two calls.
      if (await exists(path.dirname(file))) throw error;
      return "no folder" as const;
    });
    if (holder === "no folder") continue;
    if (holder === undefined) throw locked;
    // The former holder may have removed the file that this one has locked.
    if (await isSameFile(`/proc/${holder.pid}/fd/3`, file)) return () => release(holder, file, made);
    await endHolder(holder);
  }
}

/** `undefined` when the time limit has passed. */
function startHolder(file: string, timeoutMs: number): Promise<ChildProcess | undefined> {
  const wait = timeoutMs === 0 ? ["--nonblock"] : ["--wait", String(timeoutMs / 1000)];
  const argv = ["--exclusive", ...wait, "--conflict-exit-code", String(CONFLICT), "--no-fork", file, "cat"];
  // In a session of its own: Ctrl-C must not release the lock while this process cleans up.
  const child = spawn("flock", argv, {
    detached: true,
    stdio: ["pipe", "pipe", "ignore"],
    env: { PATH: process.env.PATH },
  });
  const { stdin, stdout } = child;
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => reject(cannotLock(file, cause.message)));
    child.on("exit", (code) => {
      if (code === CONFLICT) resolve(undefined);
      else reject(cannotLock(file, `flock ended with exit code ${code}`));
    });
    stdin?.on("error", () => {});
    // The lock must not keep a process alive that has no other work; waiting for it must.
    stdout?.once("data", () => {
      child.unref();
      for (const stream of [stdin, stdout]) (stream as Socket | null)?.unref();
      resolve(child);
    });
    // `cat` runs, and answers, once flock has the lock.
    stdin?.write("\n");
  });
}

async function release(holder: ChildProcess, file: string, made: string | undefined): Promise<void> {
  await fs.rm(file, { force: true });
  await endHolder(holder);
  // Folders that exist only for the lock go with it, unless something else is in them. A folder of locks exists for nothing
  // else, even if a process created it that was killed.
  const mayGo = (folder: string) => path.basename(folder) === "locks" || folder.length >= (made?.length ?? Infinity);
  for (let folder = path.dirname(file); mayGo(folder); folder = path.dirname(folder)) {
    if (!(await removeIfEmpty(folder))) return;
  }
}

const exists = (file: string): Promise<boolean> =>
  fs.access(file).then(
    () => true,
    () => false,
  );

function endHolder(holder: ChildProcess): Promise<void> {
  holder.ref();
  return new Promise((resolve) => {
    if (holder.exitCode !== null || holder.signalCode !== null) return resolve();
    holder.once("exit", () => resolve());
    holder.stdin?.end();
    holder.stdout?.destroy();
  });
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((name) => fs.stat(name).catch(() => undefined)));
  return a !== undefined && b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

const cannotLock = (file: string, reason: string): UserError =>
  new UserError(
    "cannot-lock",
    `${file} cannot be locked: ${reason}`,
    "apt-get install util-linux; look at the folder's owner",
  );

/** The folder `<file>.lock`, renewed while held and removed afterwards. */
async function tryLockFolder(file: string): Promise<Release | undefined> {
  await fs.mkdir(path.dirname(file), { recursive: true });
  try {
    return await lock(file, { realpath: false, stale: STALE_MS, update: STALE_MS / 4 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ELOCKED") return undefined;
    throw error;
  }
}

function lockedError(file: string, timeoutMs: number): UserError {
  return new UserError(
    "locked",
    `another process has held the lock ${file} for ${Math.round(timeoutMs / 1000)} s`,
    "wait until the other groundplane command has finished, then try again",
  );
}
