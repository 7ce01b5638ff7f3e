/** The Pulumi engine that this project is tested with; also the oldest one it accepts. */
export const PULUMI_VERSION = "3.248.0";
/** The `command` resource plugin that belongs to the pinned @pulumi/command. */
export const COMMAND_PLUGIN_VERSION = "1.2.1";

/** The first `1.2.3` in a text, as numbers; `undefined` when there is none. */
export function parseVersion(text: string): readonly [number, number, number] | undefined {
  const found = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return found ? [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)] : undefined;
}

/** Is the first version at least the second, and of the same major version? */
export function satisfies(found: string, minimum: string): boolean {
  const [a, b] = [parseVersion(found), parseVersion(minimum)];
  if (!a || !b || a[0] !== b[0]) return false;
  return a[1] !== b[1] ? a[1] > b[1] : a[2] >= b[2];
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
