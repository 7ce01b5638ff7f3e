import * as path from "node:path";
import type { Opening } from "../backup/encryption";
import { readMasterBackup, stackOfMasterBackup } from "../backup/master-backup";
import { type ReadBackup, readBackup } from "../backup/read-backup";
import { readIfPresent } from "../host/file-store";
import { UserError } from "../model/user-error";
import { presentPassphrase } from "./backup-passphrase";
import { refuseOtherName } from "./restore-checks";

interface OpeningOptions {
  readonly stack: string;
  readonly identity?: string;
}

/** @param present the keys of the stack, if it has some */
export type ReadsBackup = (
  present: Readonly<Record<string, string>> | undefined,
  snapshotFile: string,
) => Promise<ReadBackup>;

/** A file of a master has no keys. Any other one is decrypted with what the user gives. */
export async function readerOf(file: string, options: OpeningOptions): Promise<ReadsBackup> {
  const { stack } = options;
  const writtenBy = await stackOfMasterBackup(file).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ENOENT" ? noFile(file) : error;
  });
  if (writtenBy === undefined) {
    const opening = await openingOf(options);
    return (_present, snapshotFile) => readBackup(file, opening, snapshotFile);
  }
  refuseOtherName(stack, writtenBy);
  return (present, snapshotFile) => {
    if (!present) throw withoutKeys(stack);
    return readMasterBackup(file, present, snapshotFile);
  };
}

async function openingOf({ identity }: OpeningOptions): Promise<Opening> {
  if (identity === undefined) return { passphrase: await presentPassphrase() };
  const text = await readIfPresent(path.resolve(identity));
  const identities = text?.split(/\r?\n/).filter((line) => line.startsWith("AGE-SECRET-KEY-")) ?? [];
  if (identities.length > 0) return { identities };
  const problem = text === undefined ? `there is no ${identity}` : `${identity} has no key of age`;
  throw new UserError("identity", problem, "name a file as `age-keygen` writes it");
}

const noFile = (file: string): UserError =>
  new UserError(
    "no-file",
    `there is no ${file}`,
    "name a file of `npx groundplane backup` or `npx groundplane backup fetch`",
  );

const withoutKeys = (stack: string): UserError =>
  new UserError(
    "no-keys",
    `a master of ${stack} wrote the file, which has no keys, and Pulumi's state has none either`,
    "restore the state, or a file of `npx groundplane backup`, which contains the keys",
  );
