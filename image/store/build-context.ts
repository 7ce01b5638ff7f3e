import { isFullDisk } from "../../model/full-disk";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";

/** What a build reports while it runs. */
export interface Progress {
  /** What is being built, e.g. `root tree`. */
  readonly phase: string;
  /** One line about the current step. */
  readonly message: string;
  /** 0 to 1 where it is known. */
  readonly fraction?: number;
}

export type OnProgress = (progress: Progress) => void;

/** What every step of a build gets. */
export interface BuildContext {
  readonly host: Host;
  readonly progress: OnProgress;
  readonly signal?: AbortSignal;
}

/** Turns an error of a program or file system that reports a full disk into a clear one; returns other errors as they are. */
export function asStorageError(error: unknown, where: string): unknown {
  if (!isFullDisk(error)) return error;
  return new UserError(
    "disk-full",
    `the disk that holds ${where} is full`,
    "free about 5 GB there, or choose another place with GROUNDPLANE_DATA, and run the same command again",
    { cause: error },
  );
}
