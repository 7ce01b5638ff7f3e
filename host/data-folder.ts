import * as os from "node:os";
import * as path from "node:path";

/**
 * The folder with all data that outlives a command: `$GROUNDPLANE_DATA`, else `$XDG_DATA_HOME/groundplane`, else
 * `~/.local/share/groundplane`. It is never below the project, because Pulumi reads the whole project on each run.
 */
export function dataFolder(): string {
  const chosen = process.env.GROUNDPLANE_DATA;
  if (chosen) return path.resolve(chosen);
  const base = process.env.XDG_DATA_HOME || path.join(os.homedir(), ".local", "share");
  return path.join(base, "groundplane");
}

/** Pulumi's local backend; its folder `state/` contains the stacks. */
export const stateFolder = (): string => path.join(dataFolder(), "state");
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
