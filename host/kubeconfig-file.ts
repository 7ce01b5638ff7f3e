import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { UserError } from "../model/user-error";
import { dataFolder } from "./data-folder";
import { fileError } from "./file-errors";
import { readIfPresent, writeFileAtomic } from "./file-store";

const homeFolder = (environment = process.env): string => path.resolve(environment.HOME || os.homedir());

const namedFiles = ({ KUBECONFIG: named = "" }: NodeJS.ProcessEnv): readonly string[] =>
  named
    .split(path.delimiter)
    .filter((file) => file !== "")
    .map((file) => path.resolve(file));

const isOwn = (file: string): boolean => file.startsWith(`${dataFolder()}${path.sep}`);

/**
 * The files in which kubectl looks for contexts: those of KUBECONFIG, else `~/.kube/config`. The ones that groundplane writes
 * itself are left out: they are rewritten, and removed with their stack.
 */
export function kubeconfigFiles(environment: NodeJS.ProcessEnv = process.env): readonly string[] {
  const files = namedFiles(environment).filter((file) => !isOwn(file));
  return files.length > 0 ? files : [path.join(homeFolder(environment), ".kube", "config")];
}

/** Whether KUBECONFIG names only files that groundplane writes itself. kubectl then reads none of `kubeconfigFiles`. */
export function namesOnlyOwnFiles(environment: NodeJS.ProcessEnv = process.env): boolean {
  const named = namedFiles(environment);
  return named.length > 0 && named.every(isOwn);
}

/** The file that kubectl would add a context to: the first that exists, else the last. */
export async function fileForNewContext(files: readonly string[]): Promise<string> {
  for (const file of files) if ((await readIfPresent(file)) !== undefined) return file;
  return files.at(-1) ?? "";
}

export interface KubeconfigChange {
  readonly file: string;
  readonly isChanged: boolean;
  /** The copy of the former file, if there is one. */
  readonly backup?: string;
}

/**
 * Changes a kubeconfig of the user: under the lock of kubectl, atomically, readable by its owner only. A symbolic link stays one.
 * @param change gets the present text, empty for no file
 * @param isKept whether a copy of the former text is kept beside the file
 * @throws UserError `kubeconfig-locked`, `kubeconfig-dangling` and those of `change`; the file is then unchanged
 */
export async function changeKubeconfig(
  file: string,
  change: (text: string) => string,
  isKept: (text: string) => boolean = () => true,
): Promise<KubeconfigChange> {
  const target = await targetOf(file);
  await createFolderOf(target);
  // kubectl locks the name that it was given, also if that is a link.
  const lock = await takeLock(`${file}.lock`);
  try {
    const former = await readIfPresent(target);
    const text = former ?? "";
    const changed = change(text);
    if (changed === text) return { file: target, isChanged: false };
    const owner = former === undefined ? await ownerOfNew(target) : await fs.stat(target);
    const backup = text !== "" && isKept(text) ? await keepCopy(target, text, owner) : undefined;
    await replaceFile(target, changed, owner);
    return { file: target, isChanged: true, ...(backup !== undefined && { backup }) };
  } finally {
    await lock.close();
    await fs.rm(`${file}.lock`, { force: true });
  }
}

/** The file that a name leads to. A link whose target is missing stays: the target may be on a volume that is not mounted. */
async function targetOf(file: string): Promise<string> {
  try {
    return await fs.realpath(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw fileError(error) ?? error;
    const link = await fs.readlink(file).catch(() => undefined);
    if (link === undefined) return file;
    throw new UserError(
      "kubeconfig-dangling",
      `the kubeconfig ${file} is a symbolic link to ${link}, which does not exist`,
      "restore its target, or remove the link; nothing was changed",
      { cause: error },
    );
  }
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** Root may work in the home of another user, whose kubectl must read the file. Elsewhere it belongs to root. */
async function ownerOfNew(file: string): Promise<Owner | undefined> {
  const home = homeFolder();
  return isRoot() && file.startsWith(`${home}${path.sep}`) ? fs.stat(home) : undefined;
}

async function createFolderOf(file: string): Promise<void> {
  const folder = path.dirname(file);
  const first = await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const owner = first === undefined ? undefined : await ownerOfNew(file);
  for (let each = folder; owner && first && each.length >= first.length; each = path.dirname(each))
    await fs.lchown(each, owner.uid, owner.gid);
}

/** An earlier copy stays, because it may be the only one of what the user wrote. Returns the copy's path. */
async function keepCopy(file: string, text: string, owner: Owner | undefined): Promise<string> {
  for (let number = 1; ; number++) {
    const copy = `${file}.before-groundplane${number === 1 ? "" : `-${number}`}`;
    const present = await readIfPresent(copy);
    if (present === undefined) await replaceFile(copy, text, owner);
    if (present === undefined || present === text) return copy;
  }
}

async function replaceFile(file: string, text: string, owner: Owner | undefined): Promise<void> {
  await writeFileAtomic(file, text, 0o600);
  if (isRoot() && owner) await fs.lchown(file, owner.uid, owner.gid);
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
