import * as os from "node:os";
import * as path from "node:path";
import { localStateFile, stateFolder } from "../../host/data-folder";
import { exists, listFolder, readIfPresent, readJson, removeTree, writeFileAtomic } from "../../host/file-store";
import { runningCommand } from "../../host/process-table";
import { projectFolder, stackFile } from "../../host/project-folder";
import { runCommand } from "../../host/run-command";
import { chooseBackend } from "../pulumi-environment";

/**
 * Makes Pulumi know the stack in the backend that is in use.
 * @param env of `pulumiEnvironment`
 */
export async function prepareStack(stack: string, env: Readonly<Record<string, string>>): Promise<void> {
  const isLocal = (await chooseBackend()).kind === "local";
  if (isLocal) {
    await dropForeignSalt(stack, path.join(projectFolder(), stackFile(stack)));
    await removeStaleLocks(stack);
  }
  if (!isLocal || !(await exists(localStateFile(stack)))) {
    const argv = ["pulumi", "stack", "select", "--create", stack, "--non-interactive"];
    await runCommand(argv, { cwd: projectFolder(), env });
  }
}

/** For after an `up`, which may have written the salt again. */
export async function settleStackFile(stack: string): Promise<void> {
  if ((await chooseBackend()).kind === "local") await keepSaltOutOfGit(projectFolder(), stackFile(stack));
}

/**
 * Pulumi writes the salt of the passphrase into the stack's file, as `encryptionsalt`. With a local backend, passphrase
 * and state belong to this host, and so does the salt; the state keeps a copy and PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER
 * makes Pulumi use it. So the line can be dropped at any time, and must never enter the project's history.
 */
const SALT_LINE = /^encryptionsalt:\s*(\S+)[ \t]*(?:\r?\n)?/m;

export interface LocalState {
  readonly checkpoint?: {
    readonly latest?: {
      readonly resources?: readonly unknown[];
      readonly pending_operations?: readonly unknown[];
      readonly secrets_providers?: { readonly state?: { readonly salt?: string } };
    };
  };
}

/** A user's own `pulumi` may compress the state. */
const forms = ["", ".gz", ".zst"] as const;

export async function hasLocalState(stack: string): Promise<boolean> {
  const found = await Promise.all(forms.map((form) => exists(`${localStateFile(stack)}${form}`)));
  return found.includes(true);
}

/**
 * Whether the local backend knows none of the stack's resources, not even one that was being created. Another backend is not
 * asked: it may be unreachable, and it has backups of its own.
 */
export async function isStateEmpty(stack: string): Promise<boolean> {
  if ((await chooseBackend()).kind !== "local") return false;
  if (!(await hasLocalState(stack))) return true;
  const plain = localStateFile(stack);
  return (await exists(plain)) && countResources(await readJson<LocalState>(plain)) === 0;
}

/** The copy of a lost state that Pulumi keeps, if it has resources: `pulumi stack rm` renames the state's file. */
export async function backupOfState(stack: string): Promise<string | undefined> {
  const file = `${localStateFile(stack)}.bak`;
  return countResources(await readJson<LocalState>(file).catch(() => undefined)) > 1 ? file : undefined;
}

const countResources = (state: LocalState | undefined): number =>
  (state?.checkpoint?.latest?.resources?.length ?? 0) + (state?.checkpoint?.latest?.pending_operations?.length ?? 0);

/** Drops a salt that does not belong to the state: it is from another host, or from a deleted state. */
export async function dropForeignSalt(stack: string, file: string): Promise<void> {
  const text = (await readIfPresent(file)) ?? "";
  const written = SALT_LINE.exec(text)?.[1];
  // Without their salt, encrypted settings would be lost; Pulumi reports the problem instead.
  if (written === undefined || /^\s*secure:/m.test(text)) return;
  const state = await readJson<LocalState>(localStateFile(stack));
  if (state?.checkpoint?.latest?.secrets_providers?.state?.salt === written) return;
  await writeFileAtomic(file, text.replace(SALT_LINE, ""));
}

/** Hides that line of the shipped stack files from git, in this clone only; .gitattributes names the files. */
export async function keepSaltOutOfGit(folder: string, file: string): Promise<void> {
  if (!(await exists(path.join(folder, ".git")))) return;
  const git = (words: readonly string[]) => runCommand(["git", "-C", folder, ...words]);
  try {
    await git(["config", "--local", "filter.groundplane-stack.clean", "sed /^encryptionsalt:/d"]);
    await git(["ls-files", "--error-unmatch", "--", file]);
    // Git treats a file of another size as changed until it has read it. `add` stages nothing here, because it runs only
    // when the file differs in the salt alone.
    await git(["diff", "--quiet", "--", file]);
    await git(["add", "--", file]);
  } catch {
    // Git is missing or busy, the file is untracked, or the user changed it: leave it alone.
  }
}

interface PulumiLock {
  readonly pid: number;
  readonly hostname: string;
}

/**
 * Removes the locks of Pulumi processes that have ended: a killed one leaves its lock in a local backend. Another process
 * may have its process id meanwhile. Locks of other hosts, of running Pulumi processes, and of processes that cannot be
 * examined stay.
 */
export async function removeStaleLocks(stack: string): Promise<void> {
  const running = await runningLocks(stack);
  for (const file of await lockFiles(stack)) {
    const isOurs = (await readLock(file))?.hostname === os.hostname();
    if (isOurs && !running.includes(file)) await removeTree(file);
  }
}

/** The files of locks whose Pulumi may work on the stack now; a lock of another host, or one that cannot be read, may. */
export async function runningLocks(stack: string): Promise<readonly string[]> {
  const files = await lockFiles(stack);
  const running = await Promise.all(
    files.map(async (file) => {
      const lock = await readLock(file);
      return !lock || lock.hostname !== os.hostname() || (await mayBePulumi(lock.pid));
    }),
  );
  return files.filter((_, index) => running[index]);
}

const readLock = (file: string): Promise<PulumiLock | undefined> => readJson<PulumiLock>(file).catch(() => undefined);

async function lockFiles(stack: string): Promise<readonly string[]> {
  const folder = path.join(stateFolder(), ".pulumi", "locks", "organization", "groundplane", stack);
  return (await listFolder(folder)).map((name) => path.join(folder, name));
}

async function mayBePulumi(pid: number): Promise<boolean> {
  const command = await runningCommand(pid);
  return command !== undefined && (command === "" || /pulumi/i.test(command));
}
