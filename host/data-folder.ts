import * as os from "node:os";
import * as path from "node:path";

/**
 * The one folder with everything that outlives a command: `$GROUNDPLANE_DATA`, else `$XDG_DATA_HOME/groundplane`, else
 * `~/.local/share/groundplane`. Never below the project: Pulumi walks the whole project folder on each run.
 */
export function dataFolder(): string {
  const chosen = process.env.GROUNDPLANE_DATA;
  if (chosen) return path.resolve(chosen);
  const base = process.env.XDG_DATA_HOME || path.join(os.homedir(), ".local", "share");
  return path.join(base, "groundplane");
}

/** Pulumi's local backend: `state/` below it holds the stacks. */
export const stateFolder = (): string => path.join(dataFolder(), "state");
/** PULUMI_HOME of this project. */
export const pulumiHomeFolder = (): string => path.join(dataFolder(), "pulumi");
/** Programs that groundplane built or fetched for the host: `pulumi`, `pulumi-language-nodejs`, Go. */
export const toolsFolder = (): string => path.join(dataFolder(), "tools");
/** Sealed images by name. */
export const imagesFolder = (): string => path.join(dataFolder(), "images");
/** Parts that images are made of, by digest: downloads, built programs, container images. */
export const partsFolder = (): string => path.join(dataFolder(), "parts");
/** Everything one stack's machines have on this host: machines, logs, kubeconfig. Gone after `destroy`. */
export const stackFolder = (stack: string): string => path.join(dataFolder(), "stacks", stack);
/** Data disks, kept when a stack is destroyed unless it says otherwise. */
export const disksFolder = (stack: string): string => path.join(dataFolder(), "disks", stack);
