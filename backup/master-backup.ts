import { createDecipheriv, createHash, createHmac, pbkdf2Sync, timingSafeEqual } from "node:crypto";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { openFile, writeFileAtomic } from "../host/file-store";
import { masterBackupMagic } from "../model/backups";
import { encryptionKeysIn } from "../model/former-keys";
import { UserError } from "../model/user-error";
import type { ReadBackup } from "./read-backup";
import { AppendedDigest, SnapshotStream } from "./snapshot-stream";
import { BACKUP_FORMAT, type BackupManifest } from "./write-backup";

/** Files that masters write by themselves, see cloud-init/scripts/backup/take-backup.sh. */

type Keys = Readonly<Record<string, string>>;

const LONGEST_LINE = 64 * 1024;

/** The stack whose master wrote the file; `undefined` for any other file. */
export async function stackOfMasterBackup(file: string): Promise<string | undefined> {
  for await (const chunk of openFile(file)) {
    const [line = ""] = (chunk as Buffer).toString("latin1").split("\n", 1);
    return line.startsWith(masterBackupMagic) ? line.slice(masterBackupMagic.length) : undefined;
  }
  return undefined;
}

/**
 * Verifies the file, then decrypts it and writes its snapshot to a private file.
 * @param keys of the stack: the file has none
 * @throws UserError `backup-keys`, `backup-damaged`
 */
export async function readMasterBackup(file: string, keys: Keys, snapshotFile: string): Promise<ReadBackup> {
  const secret = await verifyMasterBackup(file, keys);
  return unpack(file, { keys, secret }, snapshotFile).catch((error: Error) => {
    if (error instanceof UserError) throw error;
    throw new UserError("backup-damaged", `the backup is damaged: ${error.message}`, "use another backup");
  });
}

/**
 * Nothing of a file is read that its stack's masters have not written.
 * @returns the key of Secrets that the masters had: the present one, or one that a rotation has replaced
 * @throws UserError `backup-keys`
 */
export async function verifyMasterBackup(file: string, keys: Keys): Promise<string> {
  for (const { secret } of encryptionKeysIn(keys)) if (await isWrittenWith(file, secret)) return secret;
  throw new UserError(
    "backup-keys",
    "the backup is damaged, or a master wrote it when the stack had other keys",
    "use another backup; a file of `npx groundplane backup` contains its keys",
  );
}

async function isWrittenWith(file: string, secret: string): Promise<boolean> {
  const digest = new AppendedDigest(createHmac("sha256", Buffer.from(keyFor("authentication", secret), "hex")));
  for await (const chunk of openFile(file)) digest.update(chunk as Buffer);
  const { computed, appended } = digest.end();
  return computed.length === appended.length && timingSafeEqual(Buffer.from(computed), Buffer.from(appended));
}

interface Opening {
  readonly keys: Keys;
  /** That of Secrets when the file was written. */
  readonly secret: string;
}

async function unpack(file: string, { keys, secret }: Opening, snapshotFile: string): Promise<ReadBackup> {
  const [written, content] = await firstLine(decrypted(file, secret));
  const { format, ...manifest } = JSON.parse(written) as WrittenManifest;
  if (format !== BACKUP_FORMAT) throw new Error(`it has format ${String(format)}`);
  const snapshot = new SnapshotStream();
  const [, head] = await Promise.all([
    Promise.all([pipeline(content, snapshot), writeFileAtomic(snapshotFile, snapshot, 0o600)]),
    Promise.race([snapshot.head, failureOf(snapshot)]),
  ]);
  const { member, members, ...others } = manifest;
  const etcd = {
    version: head.version,
    member,
    members,
    revision: head.revision,
    size: head.size,
    sha256: head.digest,
  };
  return { manifest: { ...others, format, etcd }, record: { configuration: "", keys } };
}

interface WrittenManifest extends Pick<BackupManifest, "stack" | "created" | "kubernetes"> {
  readonly format: typeof BACKUP_FORMAT;
  readonly member: string;
  readonly members: readonly string[];
}

/** A stream that ends before its head has none. */
const failureOf = (snapshot: SnapshotStream): Promise<never> =>
  new Promise((_resolve, reject) => {
    snapshot.once("error", reject);
    snapshot.once("end", () => reject(new Error("it has no snapshot")));
  });

/** As `openssl enc -aes-256-ctr -pbkdf2 -iter 1` writes it: a magic word, a salt, the content. */
async function* decrypted(file: string, secret: string): AsyncGenerator<Buffer> {
  const parts = contentOf(file);
  let begin = Buffer.alloc(0);
  while (begin.length < SALTED_BYTES) {
    const { value, done } = await parts.next();
    if (done) throw new Error("it is empty");
    begin = Buffer.concat([begin, value]);
  }
  const derived = pbkdf2Sync(keyFor("encryption", secret), begin.subarray(8, SALTED_BYTES), 1, 48, "sha256");
  const decipher = createDecipheriv("aes-256-ctr", derived.subarray(0, 32), derived.subarray(32));
  yield decipher.update(begin.subarray(SALTED_BYTES));
  for await (const part of parts) yield decipher.update(part);
}

const SALTED_BYTES = 16;

/** Without the line before it and the digest after it. */
async function* contentOf(file: string): AsyncGenerator<Buffer> {
  const digest = new AppendedDigest();
  const [, rest] = await firstLine(openFile(file) as AsyncIterable<Buffer>);
  for await (const chunk of rest) yield digest.update(chunk as Buffer);
}

/** The first line, and everything after it. */
async function firstLine(chunks: AsyncIterable<Buffer>): Promise<readonly [string, Readable]> {
  const rest = chunks[Symbol.asyncIterator]();
  let begin = Buffer.alloc(0);
  while (!begin.includes("\n")) {
    const { value, done } = await rest.next();
    if (done || begin.length > LONGEST_LINE) throw new Error("it has no head");
    begin = Buffer.concat([begin, value]);
  }
  const end = begin.indexOf("\n");
  const following = async function* (): AsyncGenerator<Buffer> {
    yield begin.subarray(end + 1);
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  };
  return [begin.toString("utf8", 0, end), Readable.from(following())];
}

/** Only masters and the state of the stack have the key that it follows from. */
function keyFor(purpose: "encryption" | "authentication", secret: string): string {
  return createHash("sha256").update(`groundplane backup ${purpose}\n${secret}\n`).digest("hex");
}
