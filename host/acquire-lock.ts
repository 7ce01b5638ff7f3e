import { type ChildProcess, spawn } from "node:child_process";
import * as fs from "node:fs/promises";
import type { Socket } from "node:net";
import * as path from "node:path";
import { lock } from "proper-lockfile";
import type { LockOptions } from "../model/host";
import { UserError } from "../model/user-error";
import { createFolders } from "./data-folder";
import { fileError } from "./file-errors";
import { removeIfEmpty } from "./file-store";

/** A lock must not fail because the user's PATH leaves out the system's programs. */
const systemPath = (): string => [process.env.PATH, "/usr/bin", "/bin"].filter(Boolean).join(":");

export type Release = () => Promise<void>;

/** A killed process stops renewing its lock folder. After this time the folder counts as stale and is taken over. */
const STALE_MS = 10_000;
const POLL_MS = 20;
/** flock's exit code when another process holds the lock. */
const CONFLICT = 75;
/** After so many, the folder is missing for another reason than other holders. */
const MOST_ATTEMPTS = 100;

/** @throws UserError `locked` if another process has it for the whole time limit */
export async function acquire(file: string, options: LockOptions): Promise<Release> {
  const { timeoutMs = 60_000, onWait = () => {} } = options;
  if (process.platform === "linux") return acquireFlock(`${file}.lock`, { ...options, timeoutMs, onWait });
  const deadline = Date.now() + timeoutMs;
  for (let attempt = 1; ; attempt++) {
    const release = await tryLockFolder(file);
    if (release) return release;
    if (attempt === 1) onWait();
    if (Date.now() >= deadline) throw lockedError(file, timeoutMs);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/**
 * flock(2) holds in every network and pid namespace that sees the file, and the kernel releases it when this process closes the
 * file or dies. Node.js does not offer the call: the program `flock` makes it for the file that both have open, and ends.
 */
async function acquireFlock(
  file: string,
  { timeoutMs, childrenOutlive, onWait }: LockOptions & Required<Pick<LockOptions, "timeoutMs" | "onWait">>,
): Promise<Release> {
  const deadline = Date.now() + timeoutMs;
  let isTold = false;
  for (;;) {
    const opened = await openLockFile(file);
    try {
      let isHeld = await runFlock(opened.handle, file, 0);
      if (!isHeld) {
        if (!isTold) onWait();
        isTold = true;
        isHeld = await runFlock(opened.handle, file, Math.max(0, deadline - Date.now()));
      }
      if (!isHeld) throw lockedError(file, timeoutMs);
      // The former holder may have removed the file that this one has locked.
      if (await isAt(file, opened.handle)) {
        const keeper = childrenOutlive ? startKeeper(opened.handle) : undefined;
        return () => release(opened, file, keeper);
      }
    } catch (error) {
      await opened.handle.close();
      throw error;
    }
    await opened.handle.close();
  }
}

interface OpenedLockFile {
  readonly handle: fs.FileHandle;
  /** The first folder that was missing before. */
  readonly made: string | undefined;
}

/** Another holder may remove the folder at any time between the two calls. */
async function openLockFile(file: string): Promise<OpenedLockFile> {
  for (let attempt = 1; ; attempt++) {
    try {
      const made = await createFolders(path.dirname(file), 0o700);
      return { made, handle: await fs.open(file, "a", 0o600) };
    } catch (error) {
      const isRemoved = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (!isRemoved || attempt === MOST_ATTEMPTS) throw fileError(error) ?? cannotLock(file, (error as Error).message);
    }
  }
}

/** Returns false when the time limit has passed. */
function runFlock({ fd }: fs.FileHandle, file: string, timeoutMs: number): Promise<boolean> {
  const wait = timeoutMs === 0 ? ["--nonblock"] : ["--wait", String(timeoutMs / 1000)];
  const argv = ["--exclusive", ...wait, "--conflict-exit-code", String(CONFLICT), "3"];
  // In a session of its own: this process decides what Ctrl-C means, also while it waits for a lock to clean up.
  const stdio = ["ignore" as const, "ignore" as const, "ignore" as const, fd];
  const child = spawn("flock", argv, { detached: true, stdio, env: { PATH: systemPath() } });
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => reject(cannotLock(file, cause.message)));
    child.on("exit", (code, signal) => {
      if (code === 0 || code === CONFLICT) resolve(code === 0);
      else reject(cannotLock(file, `flock ended with ${signal ?? `exit code ${code}`}`));
    });
  });
}

/**
 * Keeps the file open, and so the lock, for some time after this process has ended without a release. A lock folder would not
 * do: proper-lockfile removes it when a signal ends this process.
 */
function startKeeper({ fd }: fs.FileHandle): ChildProcess {
  const keeper = spawn("sh", ["-c", `read -r _ || exec sleep ${STALE_MS / 1000}`], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore", fd],
    env: { PATH: systemPath() },
  });
  keeper.on("error", () => {});
  // It must not keep a process alive that has no other work.
  keeper.unref();
  (keeper.stdin as Socket).unref();
  return keeper;
}

async function release({ handle, made }: OpenedLockFile, file: string, keeper?: ChildProcess): Promise<void> {
  await fs.rm(file, { force: true });
  keeper?.kill("SIGKILL");
  await handle.close();
  // Folders that exist only for the lock go with it, unless something else is in them. A folder of locks exists for nothing
  // else, even if a process created it that was killed.
  const mayGo = (folder: string) => path.basename(folder) === "locks" || folder.length >= (made?.length ?? Infinity);
  for (let folder = path.dirname(file); mayGo(folder); folder = path.dirname(folder)) {
    if (!(await removeIfEmpty(folder))) return;
  }
}

async function isAt(file: string, handle: fs.FileHandle): Promise<boolean> {
  const [mine, there] = await Promise.all([handle.stat(), fs.stat(file).catch(() => undefined)]);
  return there !== undefined && mine.ino === there.ino && mine.dev === there.dev;
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
