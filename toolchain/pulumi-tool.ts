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
