import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";

/**
 * The folder with all data that outlives a command: `$GROUNDPLANE_DATA`, else `$XDG_DATA_HOME/groundplane`, else
 * `~/.local/share/groundplane`. It is never below the project, because Pulumi reads the whole project on each run. A
 * relative `XDG_DATA_HOME` is ignored, as its specification demands: it would mean another folder for each command.
 */
export function dataFolder(): string {
  const chosen = process.env.GROUNDPLANE_DATA;
  if (chosen) return path.resolve(chosen);
  const base = process.env.XDG_DATA_HOME;
  const isUsable = base !== undefined && path.isAbsolute(base);
  return path.join(isUsable ? base : path.join(os.homedir(), ".local", "share"), "groundplane");
}

/** Pulumi's local backend; its folder `state/` contains the stacks. */
export const stateFolder = (): string => path.join(dataFolder(), "state");
/** Where Pulumi's local backend has the state of a stack, unless it is compressed. */
export const localStateFile = (stack: string, state = stateFolder()): string =>
  path.join(state, ".pulumi", "stacks", "groundplane", `${stack}.json`);
/** The value of PULUMI_HOME for this project. */
export const pulumiHomeFolder = (): string => path.join(dataFolder(), "pulumi");
/** Programs that groundplane built or downloaded for the host: `pulumi`, `pulumi-language-nodejs`, Go. */
export const toolsFolder = (): string => path.join(dataFolder(), "tools");
/** Sealed images by name. */
export const imagesFolder = (): string => path.join(dataFolder(), "images");
/** Parts of images, by digest: downloads, built programs, container images. */
export const partsFolder = (): string => path.join(dataFolder(), "parts");
/** All files of one stack on this host: machines, logs, kubeconfig. `destroy` removes them. */
export const stackFolder = (stack: string): string => path.join(dataFolder(), "stacks", stack);
/** Data disks. They are kept when a stack is destroyed, unless its configuration deletes them. */
export const disksFolder = (stack: string): string => path.join(dataFolder(), "disks", stack);

/**
 * Creates a folder and its parents as the user's umask says, since they may be folders of the user such as ~/.local/share. Our
 * data folder, if it is among them, is closed to other users: it contains keys, seeds and the disks of machines.
 * @param mode of all missing folders; default: as the umask says
 * @returns the first folder that was missing, if any
 */
export async function createFolders(folder: string, mode?: number): Promise<string | undefined> {
  const first = await fs.mkdir(folder, { recursive: true, mode });
  const data = dataFolder();
  const isNew = first !== undefined && `${data}${path.sep}`.startsWith(`${path.resolve(first)}${path.sep}`);
  if (isNew && `${path.resolve(folder)}${path.sep}`.startsWith(`${data}${path.sep}`)) await fs.chmod(data, 0o700);
  return first;
}

/**
 * Closes an existing data folder of this user, which an earlier version left open to others. A folder that is more than a data
 * folder stays as it is: the root of the file system, a home, or a folder for all users such as /tmp.
 */
export async function closeDataFolder(): Promise<void> {
  const folder = dataFolder();
  const found = await fs.stat(folder).catch(() => undefined);
  if (found === undefined || found.uid !== process.getuid?.()) return;
  const isShared = (found.mode & 0o1000) !== 0 || [path.parse(folder).root, os.homedir()].includes(folder);
  if (isShared) return;
  if ((found.mode & 0o077) !== 0) await fs.chmod(dataFolder(), 0o700);
}
