import type { GuestConnection } from "../model/resource-types";
import type { ConnectOptions, RunOptions, RunResult } from "./guest-ssh";

/**
 * The port through which resources use a running node. One implementation uses SSH; the fake driver's machines have simulated
 * guests.
 */
export interface Guest {
  /** Runs a program as root. A non-zero exit is a result; a lost guest is an `UnreachableError`. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** In the order of `paths`; `undefined` for a missing file. One round trip. */
  readFiles(paths: readonly string[], signal?: AbortSignal): Promise<readonly (GuestFile | undefined)[]>;
  /**
   * Replaces each file atomically and creates folders. One round trip.
   * @throws FileRefusedError when a check fails; then no file is changed
   */
  writeFiles(files: readonly NewGuestFile[], signal?: AbortSignal): Promise<void>;
}

export interface GuestFile {
  /** Absolute, without spaces or control characters. */
  readonly path: string;
  /** Four octal digits. */
  readonly mode: string;
  readonly content: string;
}

export interface NewGuestFile extends GuestFile {
  /** Shell command that checks the text in the file `"$1"` and fails when it is invalid; absent = none. */
  readonly check?: string;
}

/** A program of the guest rejects the new text of a file. */
export class FileRefusedError extends Error {
  constructor(
    readonly path: string,
    readonly reason: string,
  ) {
    super(`${path} is invalid: ${reason}`);
    this.name = "FileRefusedError";
  }
}

/**
 * Waits until the guest is reachable.
 * @throws UnreachableError when it is not reachable within the deadline
 */
export type ConnectGuest = (connection: GuestConnection, options?: ConnectOptions) => Promise<Guest>;
