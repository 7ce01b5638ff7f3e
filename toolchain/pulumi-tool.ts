import { isAtLeast, parseVersion } from "../model/versions";

/** The Pulumi engine that this project is tested with; also the oldest one it accepts. */
export const PULUMI_VERSION = "3.248.0";
/** The `command` resource plugin that belongs to the pinned @pulumi/command. */
export const COMMAND_PLUGIN_VERSION = "1.2.1";

/** Is the first version at least the second, and of the same major version? */
export function satisfies(found: string, minimum: string): boolean {
  const [a, b] = [parseVersion(found), parseVersion(minimum)];
  return a !== undefined && b !== undefined && a[0] === b[0] && isAtLeast(a, b);
}

/** The Pulumi command line tool that this project uses on this host. */
export interface PulumiCli {
  /** Folder with `pulumi` and `pulumi-language-nodejs`; belongs first on PATH. */
  readonly binFolder: string;
  /** e.g. `3.248.0` */
  readonly version: string;
  /** `own`: the user's, found on PATH. */
  readonly how: "own" | "download" | "build";
}

export interface ObtainOptions {
  /** Called with a line for each step. */
  readonly progress?: (message: string) => void;
  readonly signal?: AbortSignal;
}
