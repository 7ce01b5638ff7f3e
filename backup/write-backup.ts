import { addAbortSignal, PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as tar from "tar-stream";
import { writeFileAtomic } from "../host/file-store";
import { fileVersions } from "../model/formats";
import { UserError } from "../model/user-error";
import { encrypt, type Protection } from "./encryption";
import type { Snapshot } from "./etcd-members";

/** Readers refuse a format that they do not know. */
export const BACKUP_FORMAT = fileVersions.backup;

/** What a backup is of: `backup.json`, the first file in it. */
export interface BackupManifest {
  readonly format: typeof BACKUP_FORMAT;
  readonly stack: string;
  /** ISO 8601, UTC. */
  readonly created: string;
  /** Commit of groundplane, `-dirty` with changes; absent outside a git checkout. */
  readonly groundplane?: string;
  readonly kubernetes: string;
  readonly etcd: {
    readonly version: string;
    /** Member that took the snapshot. */
    readonly member: string;
    /** All members at that time. */
    readonly members: readonly string[];
    /** The snapshot contains every change up to this one. */
    readonly revision: number;
    readonly size: number;
    readonly sha256: string;
  };
}

/** What belongs to a stack besides its objects. */
export interface StackRecord {
  /** The text of the stack's file. */
  readonly configuration: string;
  /** Secret. */
  readonly keys: Readonly<Record<string, string>>;
}

export const backupFiles = {
  manifest: "backup.json",
  configuration: "stack.yaml",
  keys: "keys.json",
  etcd: "etcd.db",
} as const;

export interface NewBackup {
  readonly manifest: BackupManifest;
  readonly record: StackRecord;
  readonly snapshot: Snapshot;
  readonly protection: Protection;
}

/**
 * Writes one encrypted file. Nothing of it is on a disk of this host unencrypted. The file appears, or replaces an earlier one, when it
 * is complete and the snapshot has arrived as the member verified it.
 */
export async function writeBackup(file: string, backup: NewBackup, signal: AbortSignal): Promise<void> {
  const archive = tar.pack();
  const plain = new PassThrough();
  const { snapshot, protection } = backup;
  const encrypted = addAbortSignal(signal, await encrypt(plain, protection));
  const stop = (error: Error): never => {
    for (const stream of [snapshot.content, archive, plain, encrypted]) stream.destroy(error);
    throw error;
  };
  const results = await Promise.allSettled([
    fill(archive, backup).catch(stop),
    pipeline(archive as unknown as Readable, plain),
    writeFileAtomic(file, encrypted, 0o600).catch(stop),
  ]);
  signal.throwIfAborted();
  // The snapshot's own error comes first: the others follow from it, unless the file cannot be written.
  const [filled, , written] = results;
  const failed = [written, filled].find((result) => result.status === "rejected" && result.reason instanceof UserError);
  for (const result of [...(failed ? [failed] : []), ...results]) if (result.status === "rejected") throw result.reason;
}

async function fill(archive: tar.Pack, { manifest, record, snapshot }: NewBackup): Promise<void> {
  const texts = {
    [backupFiles.manifest]: `${JSON.stringify(manifest, null, 2)}\n`,
    [backupFiles.configuration]: record.configuration,
    [backupFiles.keys]: `${JSON.stringify(record.keys, null, 2)}\n`,
  };
  for (const [name, text] of Object.entries(texts)) archive.entry({ name, mode: 0o600 }, text);
  const entry = archive.entry({ name: backupFiles.etcd, mode: 0o600, size: snapshot.head.size });
  await pipeline(snapshot.content, entry as unknown as NodeJS.WritableStream);
  await snapshot.end;
  archive.finalize();
}
