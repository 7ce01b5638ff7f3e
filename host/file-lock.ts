import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import { createServer } from "node:net";
import * as path from "node:path";
import { lock } from "proper-lockfile";
import type { LockOptions } from "../model/host";
import { UserError } from "../model/user-error";

type Release = () => Promise<void>;

/** A holder that died stops renewing its lock folder; after this long it counts as left behind and is taken over. */
const STALE_MS = 10_000;
const POLL_MS = 20;

/** Those of this process who wait for the same file, in order: only one of them competes with other processes. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Runs `action` while no other caller, in this process or another, runs one with the same lock file. Not reentrant.
 * When a holder dies, the next one goes on: on Linux at once, elsewhere after ten seconds.
 *
 * @throws UserError `locked` when it cannot be had within the time limit
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
 * A name in Linux' abstract socket space: one owner at a time, no file, and the kernel takes it back from a process
 * that was killed. A lock folder would hold up the next command until it counts as stale, and lose its lock when a
 * busy process renews it too late.
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
      // It must not keep a process alive that has nothing else to do.
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
