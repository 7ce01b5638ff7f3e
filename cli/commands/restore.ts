import * as path from "node:path";
import type { Command } from "commander";
import type { BackupManifest } from "../../backup/write-backup";
import { script } from "../../cloud-init/scripts/read-script";
import { closeGuests } from "../../guests/guest-ssh";
import { askOnTerminal, canAsk } from "../../host/ask-on-terminal";
import { makeFolder, moveTree, readBytes, removeTree, writeFileAtomic, writeJson } from "../../host/file-store";
import { interruptibly } from "../../host/interruption";
import { runningRelease } from "../../host/kept-release";
import { localHost } from "../../host/local-host";
import { restoreFilesOf, restoreNames } from "../../host/restore-mark";
import type { Hypervisor, StackObject } from "../../hypervisors/hypervisor";
import { allSources, ensurePart } from "../../image/parts/ensure-part";
import { etcdutlRecipe } from "../../image/recipes/kubernetes";
import { isKubernetesVersion, releaseOf } from "../../model/releases";
import type { StackOutputs } from "../../model/stack-outputs";
import { UserError } from "../../model/user-error";
import { isStateEmpty } from "../../toolchain/run-pulumi/prepare-stack";
import { isKnownToPulumi } from "../../toolchain/run-pulumi/pulumi-command";
import { readStackKeys } from "../../toolchain/run-pulumi/read-keys";
import { PASSPHRASE_FILE_VARIABLE, PASSPHRASE_VARIABLE } from "../backup-passphrase";
import { driverOf } from "../driver";
import { lostState, readOutputs, removeObjects } from "../lost-state";
import { type ReadsBackup, readerOf } from "../open-backup";
import { type StackOptions, stackCommand } from "../options";
import { print, say, sayNews } from "../print";
import { readPlan, readRelease } from "../project";
import { hasMajority, machinesToRecreate, refuseOtherStack, refuseSharedMachines } from "../restore-checks";
import { startStack } from "./start";

interface RestoreOptions extends StackOptions {
  readonly identity?: string;
  readonly replace?: boolean;
  readonly yes?: boolean;
}

export function restoreCommand(): Command {
  return stackCommand(
    "restore <file>",
    "restore a backup into a stack whose etcd has lost its majority, or into a new stack of the same configuration",
  )
    .option("--identity <key-file>", "decrypt with the keys of age in this file (AGE-SECRET-KEY-1…)")
    .option("--replace", "also when etcd is healthy: what was written after the backup is lost")
    .option("-y, --yes", "do not ask")
    .addHelpText(
      "after",
      `
FILE is one of \`npx groundplane backup\`, encrypted for a key (--identity) or with a passphrase: that of
${PASSPHRASE_VARIABLE} or of the file in ${PASSPHRASE_FILE_VARIABLE}, else the command asks for it.
Or it is one of \`npx groundplane backup fetch\`, which needs neither.
Masters and machines of etcd are recreated and begin with the backup; all other machines, their pods and volumes stay.
A restore that was interrupted continues with the same command, or with \`npx groundplane start\`.`,
    )
    .action((file: string, options: RestoreOptions) => restore(path.resolve(file), options).finally(closeGuests));
}

async function restore(file: string, options: RestoreOptions): Promise<void> {
  const { stack } = options;
  const started = performance.now();
  const read = await readerOf(file, options);
  const { staging } = restoreFilesOf(stack);
  await makeFolder(staging, 0o700);
  // It has the keys and the snapshot.
  const manifest = await interruptibly(stack, (signal) => prepare(file, read, options, signal)).finally(() =>
    removeTree(staging),
  );
  if (!manifest) return say("no changes");
  await startStack({ stack, yes: options.yes });
  const { revision, member } = manifest.etcd;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  print(`${stack} is restored: etcd of ${member} at revision ${revision}, ${manifest.created}; it took ${seconds} s`);
}

/** Everything before the `up`. Returns `undefined` if the user does not agree. */
async function prepare(
  file: string,
  read: ReadsBackup,
  { stack, replace, yes }: RestoreOptions,
  signal: AbortSignal,
): Promise<BackupManifest | undefined> {
  const { staging, folder } = restoreFilesOf(stack);
  const plan = await readPlan(stack);
  const { outputs, keys: present } = await presentStack(stack);
  if (present) refuseSharedMachines(plan.nodes.map(({ roles }) => roles));
  say(`reading and verifying ${file}`);
  const { manifest, record } = await read(present, path.join(staging, restoreNames.snapshot));
  const kubernetes = await releaseToRestore(stack, manifest.kubernetes);
  refuseOtherStack({ ...{ stack, kubernetes, manifest, present }, keys: record.keys });
  if (outputs && !replace && (await hasMajority(outputs))) throw healthy(stack);
  const hypervisor = await driverOf(stack);
  const nodes = [...plan.nodes, ...(outputs?.inventory ?? [])];
  const machines = machinesToRecreate(await hypervisor.listObjects(stack), nodes);
  signal.throwIfAborted();
  if (!(await agreed(machines, manifest.created, { stack, yes }))) return undefined;
  await writeJson(path.join(staging, restoreNames.keys), record.keys);
  await writeFileAtomic(path.join(staging, restoreNames.script), script("backup/restore-member"), 0o600);
  await writeFileAtomic(path.join(staging, restoreNames.release), `${kubernetes}\n`, 0o600);
  await writeFileAtomic(path.join(staging, restoreNames.etcdutl), await obtainEtcdutl(kubernetes, signal), 0o600);
  // Before the mark: an `up` that found it beside former members would end without a restore.
  await removeMachines(hypervisor, stack, machines, signal);
  await removeTree(folder);
  await moveTree(staging, folder);
  return manifest;
}

/** A new stack whose file names no release gets that of the backup: a restore is no upgrade. */
async function releaseToRestore(stack: string, ofBackup: string): Promise<string> {
  const { version, from } = await readRelease(stack);
  const isOpen = from !== "file" && (await runningRelease(stack)) === undefined;
  return isOpen && isKubernetesVersion(ofBackup) ? ofBackup : version;
}

interface PresentStack {
  /** Absent while the stack has none: its first `up` has not ended. */
  readonly outputs?: StackOutputs;
  /** Absent for a new stack. */
  readonly keys?: Readonly<Record<string, string>>;
}

async function presentStack(stack: string): Promise<PresentStack> {
  const lost = await lostState(stack);
  if (lost) throw lost;
  if (!(await isKnownToPulumi(stack)) || (await isStateEmpty(stack))) return {};
  const unless = (id: string) => (error: unknown) => {
    if (!(error instanceof UserError && error.id === id)) throw error;
    return undefined;
  };
  return {
    outputs: await readOutputs(stack).catch(unless("stack-not-up")),
    keys: await readStackKeys(stack).catch(unless("no-keys")),
  };
}

const healthy = (stack: string): UserError =>
  new UserError(
    "etcd-healthy",
    `etcd of ${stack} is healthy; a restore would lose what was written after the backup`,
    "add --replace to restore nevertheless",
  );

async function agreed(
  machines: readonly StackObject[],
  created: string,
  { stack, yes }: RestoreOptions,
): Promise<boolean> {
  if (yes || machines.length === 0) return true;
  const what = `recreate ${machines.map(({ name }) => name).join(", ")} of ${stack} with the backup of ${created}`;
  if (canAsk()) return (await askOnTerminal(`${what}? Type the stack's name to confirm: `)) === stack;
  throw new UserError(
    "not-agreed",
    `to ${what} needs a confirmation, and there is no terminal`,
    "add --yes to confirm",
  );
}

async function obtainEtcdutl(kubernetes: string, signal: AbortSignal): Promise<Buffer> {
  const recipe = etcdutlRecipe(releaseOf(kubernetes).etcd);
  const context = { host: localHost, signal, progress: sayNews() };
  const part = await ensurePart({ kind: "programs", recipe }, allSources(localHost), context);
  return (await readBytes(path.join(part.content, "etcdutl"))) as Buffer;
}

/** Without a stop: their data is replaced. */
async function removeMachines(
  hypervisor: Hypervisor,
  stack: string,
  machines: readonly StackObject[],
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  for (const { name } of machines) await hypervisor.hardKill?.hardKill({ stack, name }).catch(() => undefined);
  await removeObjects(hypervisor, stack, machines, say);
}
