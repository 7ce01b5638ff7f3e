import { Readable, type Transform } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import * as tar from "tar-stream";
import { openFile, writeFileAtomic } from "../host/file-store";
import { UserError } from "../model/user-error";
import { decrypt, type Opening } from "./encryption";
import { AppendedDigest } from "./snapshot-stream";
import { BACKUP_FORMAT, type BackupManifest, backupFiles, type StackRecord } from "./write-backup";

export interface ReadBackup {
  readonly manifest: BackupManifest;
  readonly record: StackRecord;
}

/**
 * Decrypts a backup, verifies it, and writes its snapshot to a private file.
 * @throws UserError `cannot-decrypt`, `backup-format`, `backup-damaged`
 */
export async function readBackup(file: string, opening: Opening, snapshotFile: string): Promise<ReadBackup> {
  return unpack(file, opening, snapshotFile).catch((error: Error) => {
    throw error instanceof UserError ? error : damaged(error.message);
  });
}

async function unpack(file: string, opening: Opening, snapshotFile: string): Promise<ReadBackup> {
  const texts: Record<string, string> = {};
  const archive = tar.extract();
  const plain = await decrypt(openFile(file), opening);
  const filled = pipeline(plain, archive as unknown as Transform);
  filled.catch(() => undefined);
  let digest = "";
  for await (const entry of archive) {
    const { name } = entry.header;
    if (name === backupFiles.etcd) digest = await keepSnapshot(entry as unknown as Readable, snapshotFile);
    else texts[name] = await text(entry);
  }
  await filled;
  const manifest = parseManifest(texts[backupFiles.manifest]);
  if (digest !== manifest.etcd.sha256) throw damaged(`the digest of its snapshot is ${digest}`);
  const keys = JSON.parse(texts[backupFiles.keys] ?? "{}") as Record<string, string>;
  return { manifest, record: { configuration: texts[backupFiles.configuration] ?? "", keys } };
}

/** Returns the digest of the database, without the digest that follows it. */
async function keepSnapshot(entry: Readable, file: string): Promise<string> {
  const digest = new AppendedDigest();
  const measured = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      digest.update(chunk);
      yield chunk;
    }
  };
  await writeFileAtomic(file, Readable.from(measured()), 0o600);
  const { computed, appended } = digest.end();
  if (appended !== computed) throw damaged("its snapshot is incomplete");
  return computed;
}

function parseManifest(written: string | undefined): BackupManifest {
  const manifest = JSON.parse(written ?? "{}") as Partial<BackupManifest>;
  if (manifest.format === BACKUP_FORMAT) return manifest as BackupManifest;
  throw new UserError(
    "backup-format",
    `the backup has format ${String(manifest.format)}, and this version of groundplane reads ${BACKUP_FORMAT}`,
    "use the version of groundplane that wrote it, or a later one",
  );
}

const damaged = (what: string): UserError =>
  new UserError("backup-damaged", `the backup is damaged: ${what}`, "use another backup");
