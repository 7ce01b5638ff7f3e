import * as fs from "node:fs/promises";
import * as path from "node:path";
import { lock } from "proper-lockfile";
import { UserError } from "./user-error";

export interface LockOptions {
  /** How long to wait for whoever holds it; default 60 s. */
  readonly timeoutMs?: number;
}

/** A holder that died stops renewing its lock; after this long the lock counts as left behind and is taken over. */
const STALE_MS = 10_000;
const POLL_MS = 20;

/** Those of this process who wait for the same file, in order: only one of them competes with other processes. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Runs `action` while nobody else, in this process or another, runs one under the same lock file. Not reentrant.
 * The lock is the folder `<file>.lock`, renewed while held and removed afterwards.
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

async function acquire(file: string, timeoutMs: number): Promise<() => Promise<void>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    try {
      // Each time anew: whoever had the folder last may be tidying it up right now.
      await fs.mkdir(path.dirname(file), { recursive: true });
      return await lock(file, {
        realpath: false,
        stale: STALE_MS,
        update: STALE_MS / 4,
      });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ELOCKED" && code !== "ENOENT") throw error;
      if (Date.now() >= deadline) throw lockedError(file, timeoutMs, error);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function lockedError(file: string, timeoutMs: number, cause: unknown): UserError {
  return new UserError(
    "locked",
    `somebody else has been holding ${file}.lock for ${Math.round(timeoutMs / 1000)} s`,
    "wait until the other groundplane command has finished, then try again",
    { cause },
  );
}
