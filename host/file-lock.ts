import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { createServer } from "node:net";
import * as path from "node:path";
import { lock } from "proper-lockfile";
import type { LockOptions } from "../model/host";
import { UserError } from "../model/user-error";

type Release = () => Promise<void>;

/** A killed process stops renewing its lock folder. After this time the folder counts as stale and is taken over. */
const STALE_MS = 10_000;
const POLL_MS = 20;

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
  const mine = before.then(() => withProcessLock(name, action, options.timeoutMs ?? 60_000));
  const settled = mine.catch(() => undefined);
  queues.set(name, settled);
  try {
    return await mine;
  } finally {
    if (queues.get(name) === settled) queues.delete(name);
  }
}

async function withProcessLock<T>(file: string, action: () => Promise<T>, timeoutMs: number): Promise<T> {
  const release = await acquire(file, timeoutMs);
  try {
    return await action();
  } finally {
    await release();
  }
}

async function acquire(file: string, timeoutMs: number): Promise<Release> {
  const tryOnce = process.platform === "linux" ? tryAbstractSocket : tryLockFolder;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const release = await tryOnce(file);
    if (release) return release;
    if (Date.now() >= deadline) throw lockedError(file, timeoutMs);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * A name in Linux's abstract socket namespace has one owner at a time and no file, and the kernel releases it when the
 * process is killed. A lock folder would delay the next command until the folder counts as stale, and a busy process
 * would lose the lock if it renewed the folder too late.
 */
function tryAbstractSocket(file: string): Promise<Release | undefined> {
  const name = `\0groundplane-lock-${createHash("sha256").update(file).digest("hex")}`;
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen({ path: name, exclusive: true }, () => {
      // The lock must not keep a process alive that has no other work.
      server.unref();
      resolve(() => new Promise((closed) => server.close(() => closed())));
    });
  });
}

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
