import * as path from "node:path";
import { PassThrough } from "node:stream";
import type { Command } from "commander";
import { verifyMasterBackup } from "../../backup/master-backup";
import { type FoundBackups, findBackups, readStored, type StoredBackup } from "../../backup/stored-backups";
import { closeGuests } from "../../guests/guest-ssh";
import { moveTree, removeTree, writeFileAtomic } from "../../host/file-store";
import { interruptibly } from "../../host/interruption";
import { backupSize } from "../../model/backups";
import type { StackOutputs } from "../../model/stack-outputs";
import { UserError } from "../../model/user-error";
import { readStackKeys } from "../../toolchain/run-pulumi/read-keys";
import { readOutputs } from "../lost-state";
import { type ReportOptions, reportCommand, type StackOptions, stackCommand } from "../options";
import { print, printJson, say, table } from "../print";
import { targetFile } from "../target-file";

/** The backups that masters take by themselves. Their `--stack` is that of `backup`, which takes it in any position. */

export const listBackupsCommand = (): Command =>
  reportCommand("list", "show the backups that the masters have taken (`backups` in the stack's file)").action(
    (_options: unknown, command: Command) =>
      interruptibly("the command", (signal) => list(command.optsWithGlobals<ReportOptions>(), signal)).finally(
        closeGuests,
      ),
  );

export const fetchBackupCommand = (): Command =>
  stackCommand("fetch [name] [file]", "copy a backup of the masters to this host; without NAME, the newest one")
    .addHelpText(
      "after",
      `
Without FILE, the copy has the same name, in the current folder. It can be restored as long as the stack's state exists, because
it is encrypted with a key of the stack and contains no keys. For another host, use \`npx groundplane backup\`.`,
    )
    .action((name: string | undefined, file: string | undefined, _options: unknown, command: Command) => {
      const { stack } = command.optsWithGlobals<StackOptions>();
      return interruptibly("the command", (signal) => fetchBackup(stack, name, file, signal)).finally(closeGuests);
    });

async function list({ stack, json }: ReportOptions, signal: AbortSignal): Promise<void> {
  const found = await findBackups(await readOutputs(stack), signal);
  tellSilent(found);
  if (json) printJson(found.backups);
  else if (found.backups.length === 0)
    print("the masters have taken no backup; `backups` in the stack's file has them take some");
  else print(render(found.backups, Date.now()));
}

function tellSilent({ silent }: FoundBackups): void {
  for (const [name, reason] of Object.entries(silent)) say(`${name} was not asked: ${reason}`);
}

const render = (backups: readonly StoredBackup[], nowMs: number): string =>
  table([
    ["NAME", "AGE", "SIZE", "ON"],
    ...backups.map(({ name, taken, bytes, on }) => [
      ...[name, age(nowMs - taken.getTime()), backupSize(bytes), on.join(", ")],
    ]),
  ]);

const MINUTE_MS = 60_000;

function age(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / MINUTE_MS));
  if (minutes < 120) return `${minutes}m`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)}h` : `${Math.floor(minutes / (24 * 60))}d`;
}

async function fetchBackup(
  stack: string,
  given: string | undefined,
  into: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const outputs = await readOutputs(stack);
  const found = await findBackups(outputs, signal);
  tellSilent(found);
  const backup = given === undefined ? found.backups.at(-1) : found.backups.find(({ name }) => name === given);
  if (!backup) throw noBackup(given);
  const file = await targetFile(into, backup.name);
  await copyFromAny(backup, { outputs, keys: await readStackKeys(stack), file, signal });
  print(
    `${file}\n  taken ${backup.taken.toISOString()}; \`npx groundplane restore ${path.basename(file)}\` restores it`,
  );
}

const noBackup = (name: string | undefined): UserError =>
  new UserError(
    "no-backup",
    name === undefined ? "no machine that responds has a backup" : `no machine that responds has ${name}`,
    "`npx groundplane backup list` shows the backups",
  );

interface Copying {
  readonly outputs: StackOutputs;
  readonly keys: Readonly<Record<string, string>>;
  readonly file: string;
  readonly signal: AbortSignal;
}

/** A copy that is damaged or incomplete is that of one machine only. */
async function copyFromAny({ name, on }: StoredBackup, { outputs, keys, file, signal }: Copying): Promise<void> {
  const partial = `${file}.partial`;
  const reasons: string[] = [];
  try {
    for (const machine of on) {
      say(`${machine}: reading ${name}`);
      try {
        const output = new PassThrough();
        const reading = readStored({ name, on: machine }, { outputs, output, signal }).catch((error: Error) => {
          output.destroy(error);
          throw error;
        });
        const results = await Promise.allSettled([reading, writeFileAtomic(partial, output, 0o600)]);
        for (const result of results) if (result.status === "rejected") throw result.reason;
        await verifyMasterBackup(partial, keys);
        return await moveTree(partial, file);
      } catch (error) {
        signal.throwIfAborted();
        reasons.push(`${machine}: ${error instanceof UserError ? error.problem : (error as Error).message}`);
      }
    }
  } finally {
    await removeTree(partial);
  }
  throw new UserError("backup-not-read", `${name} could not be read: ${reasons.join("; ")}`, "use another backup");
}
