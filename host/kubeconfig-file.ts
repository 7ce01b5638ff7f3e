import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { UserError } from "../model/user-error";
import { dataFolder } from "./data-folder";
import { fileError } from "./file-errors";
import { readIfPresent, writeFileAtomic } from "./file-store";

/**
 * The files in which kubectl looks for contexts: those of KUBECONFIG, else `~/.kube/config`. The ones that groundplane writes
 * itself are left out: they are rewritten, and removed with their stack.
 */
export function kubeconfigFiles(environment: NodeJS.ProcessEnv = process.env): readonly string[] {
  const named = (environment.KUBECONFIG ?? "").split(path.delimiter).filter((file) => file !== "");
  const files = named
    .map((file) => path.resolve(file))
    .filter((file) => !file.startsWith(`${dataFolder()}${path.sep}`));
  return files.length > 0 ? files : [path.join(environment.HOME || os.homedir(), ".kube", "config")];
}

/** The file that kubectl would add a context to: the first that exists, else the last. */
export async function fileForNewContext(files: readonly string[]): Promise<string> {
  for (const file of files) if ((await readIfPresent(file)) !== undefined) return file;
  return files.at(-1) ?? "";
}

export interface KubeconfigChange {
  readonly file: string;
  readonly isChanged: boolean;
  /** The copy of the former file, if there was one. */
  readonly backup?: string;
}

/**
 * Changes a kubeconfig of the user: under the lock of kubectl, atomically, with a copy of the former file beside it, readable by
 * its owner only. A symbolic link stays one.
 * @param change gets the present text, empty for no file
 * @throws UserError `kubeconfig-locked` and those of `change`; the file is then unchanged
 */
export async function changeKubeconfig(file: string, change: (text: string) => string): Promise<KubeconfigChange> {
  const target = await fs.realpath(file).catch(() => file);
  const isNew = (await readIfPresent(target)) === undefined;
  if (isNew) await fs.mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
  const lock = await takeLock(`${target}.lock`);
  try {
    const text = (await readIfPresent(target)) ?? "";
    const changed = change(text);
    if (changed === text) return { file: target, isChanged: false };
    if (isNew) {
      await writeFileAtomic(target, changed, 0o600);
      return { file: target, isChanged: true };
    }
    const backup = `${target}.before-groundplane`;
    const { uid, gid } = await fs.stat(target);
    await replaceFile(backup, text, uid, gid);
    await replaceFile(target, changed, uid, gid);
    return { file: target, isChanged: true, backup };
  } finally {
    await lock.close();
    await fs.rm(`${target}.lock`, { force: true });
  }
}

/** With the owner of the former file, who may be another user than root. */
async function replaceFile(file: string, text: string, uid: number, gid: number): Promise<void> {
  await writeFileAtomic(file, text, 0o600);
  if (process.getuid?.() === 0) await fs.chown(file, uid, gid);
}

/** kubectl creates this file before a change and removes it afterwards. */
async function takeLock(file: string): Promise<fs.FileHandle> {
  try {
    return await fs.open(file, "wx", 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw fileError(error) ?? error;
    throw new UserError(
      "kubeconfig-locked",
      `another program changes the kubeconfig: ${file} exists`,
      `run the command again; if no program uses it, remove ${file}`,
      { cause: error },
    );
  }
}
