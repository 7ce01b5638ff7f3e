import type { Command } from "commander";
import { refuseWrongRecipients } from "../../backup/encryption";
import { etcdMembers, type Snapshot, takeSnapshot } from "../../backup/etcd-members";
import { BACKUP_FORMAT, type BackupManifest, writeBackup } from "../../backup/write-backup";
import { closeGuests } from "../../guests/guest-ssh";
import { interruptibly } from "../../host/interruption";
import { backupSize } from "../../model/backups";
import { UserError } from "../../model/user-error";
import { readStackKeys } from "../../toolchain/run-pulumi/read-keys";
import { sourceCommit } from "../../verify/measured-at";
import { newPassphrase, PASSPHRASE_FILE_VARIABLE, PASSPHRASE_VARIABLE } from "../backup-passphrase";
import { readOutputs } from "../lost-state";
import { type StackOptions, stackCommand } from "../options";
import { print, say } from "../print";
import { configurationText, readPlan } from "../project";
import { targetFile } from "../target-file";
import { fetchBackupCommand, listBackupsCommand } from "./master-backups";

interface BackupOptions extends StackOptions {
  readonly recipient?: readonly string[];
}

export function backupCommand(): Command {
  const command = stackCommand(
    "backup [file]",
    "write a snapshot of etcd, the stack's keys and its configuration into one encrypted file; changes nothing",
  )
    .option(
      "--recipient <key>",
      "encrypt for the holder of this public key of age (age1…); may be repeated",
      addRecipient,
    )
    .addHelpText(
      "after",
      `
Without --recipient, the file is encrypted with a passphrase: that of ${PASSPHRASE_VARIABLE} or of the file in
${PASSPHRASE_FILE_VARIABLE}, else the command asks for one. Without FILE, the name has the stack and the time, and FILE may be a folder.
Objects of Kubernetes are in the backup; the data of volumes is not.`,
    )
    .action((file: string | undefined, options: BackupOptions) =>
      interruptibly("the backup", (signal) => backUp(file, options, signal)).finally(closeGuests),
    );
  return command.addCommand(listBackupsCommand()).addCommand(fetchBackupCommand());
}

const addRecipient = (key: string, former: readonly string[] = []): readonly string[] => [...former, key];

async function backUp(
  given: string | undefined,
  { stack, recipient }: BackupOptions,
  signal: AbortSignal,
): Promise<void> {
  await refuseWrongRecipients(recipient ?? []);
  const outputs = await readOutputs(stack);
  const kubernetes = (await readPlan(stack)).kubernetes.version;
  const protection = recipient ? { recipients: recipient } : { passphrase: await newPassphrase() };
  const record = { configuration: await configurationText(stack), keys: await readStackKeys(stack) };
  const groundplane = await sourceCommit();
  const created = new Date().toISOString();
  const file = await targetFile(given, `${stack}-${created.replaceAll(/[-:]|\.\d+/g, "")}.backup.age`);
  const snapshot = await takeSnapshot(outputs, { signal, progress: say });
  const members = etcdMembers(outputs).map(({ name }) => name);
  const etcd = describeSnapshot(snapshot, members);
  say(`${snapshot.member}: reading the snapshot (${backupSize(etcd.size)}), encrypting it`);
  const manifest: BackupManifest = { format: BACKUP_FORMAT, stack, created, groundplane, kubernetes, etcd };
  await writeBackup(file, { manifest, record, snapshot, protection }, signal).catch(explain);
  print(
    `${file}\n  etcd ${etcd.version} at revision ${etcd.revision}, keys and configuration of ${stack}, Kubernetes ${kubernetes}`,
  );
}

const describeSnapshot = ({ member, head }: Snapshot, members: readonly string[]): BackupManifest["etcd"] => ({
  ...{ version: head.version, member, members, revision: head.revision, size: head.size, sha256: head.digest },
});

function explain(error: Error): never {
  if (error instanceof UserError) throw error;
  throw new UserError("backup-failed", `the backup was not written: ${error.message}`, "repeat the command");
}
