import type { GuestConnection } from "../model/resource-types";
import type { ConnectOptions, RunOptions, RunResult } from "./guest-ssh";

/**
 * The guest port: what resources ask of a running node. One implementation speaks SSH; the fake driver's machines have
 * simulated guests.
 */
export interface Guest {
  /** Runs a program as root. A non-zero exit is a result; a guest that went away is an `UnreachableError`. */
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** In the order of `paths`; `undefined` where there is no such file. One round trip. */
  readFiles(paths: readonly string[], signal?: AbortSignal): Promise<readonly (GuestFile | undefined)[]>;
  /**
   * Each file is replaced atomically; folders are made. One round trip.
   * @throws FileRefusedError when the check of one fails; then all of them are as they were
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
  /** Shell command that looks at the text in the file `"$1"` and fails when it would not work; absent = none. */
  readonly check?: string;
}

/** A program of the guest finds the new text of one of its files wrong. */
export class FileRefusedError extends Error {
  constructor(
    readonly path: string,
    readonly reason: string,
  ) {
    super(`${path} would not work: ${reason}`);
    this.name = "FileRefusedError";
  }
}

/**
 * Waits until the guest answers.
 * @throws UnreachableError when it does not within the deadline
 */
export type ConnectGuest = (connection: GuestConnection, options?: ConnectOptions) => Promise<Guest>;
