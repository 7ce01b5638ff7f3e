import * as path from "node:path";
import type { LockOptions } from "../model/host";
import { acquire, type Release } from "./acquire-lock";

/** After so long, a process gives the lock to other processes, even if more of its own callers wait. */
const MOST_HAND_OVERS_MS = 1_000;

interface Held {
  readonly release: Release;
  readonly sinceMs: number;
  readonly childrenOutlive: boolean;
}

/** Callers of this process that wait for the same file, in order. Only the first one competes with other processes. */
interface Queue {
  waiting: number;
  /** Settles when the last caller has finished, with its lock if that is handed over. Does not reject. */
  last: Promise<Held | undefined>;
}
const queues = new Map<string, Queue>();

/**
 * Runs `action` while no other caller, in this process or another, runs one with the same lock file. Not reentrant.
 * If the holder's process is killed, the next caller proceeds: on Linux immediately, with `childrenOutlive` and on other
 * systems after ten seconds.
 *
 * @throws UserError `locked` if the lock is not acquired within the time limit
 */
export async function withFileLock<T>(file: string, action: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const name = path.resolve(file);
  const present = queues.get(name);
  if (present) options.onWait?.();
  const queue = present ?? { waiting: 0, last: Promise.resolve(undefined) };
  queues.set(name, queue);
  queue.waiting++;
  const before = queue.last;
  let finish = (_held: Held | undefined): void => {};
  queue.last = new Promise((resolve) => {
    finish = resolve;
  });
  const handedOver = await before;
  queue.waiting--;
  let left: Held | undefined;
  try {
    const held = await takeOver(handedOver, name, options);
    try {
      return await action();
    } finally {
      left = await keepForNext(held, queue);
    }
  } finally {
    if (queue.waiting === 0) queues.delete(name);
    finish(left);
  }
}

async function takeOver(held: Held | undefined, file: string, options: LockOptions): Promise<Held> {
  const { childrenOutlive = false } = options;
  if (held?.childrenOutlive === childrenOutlive) return held;
  await held?.release();
  return { release: await acquire(file, options), sinceMs: performance.now(), childrenOutlive };
}

/** The lock, if it is for the next caller of this process. To release and acquire it starts a program, which takes longer than most actions. */
async function keepForNext(held: Held, { waiting }: Queue): Promise<Held | undefined> {
  if (waiting > 0 && performance.now() - held.sinceMs < MOST_HAND_OVERS_MS) return held;
  await held.release();
  return undefined;
}
