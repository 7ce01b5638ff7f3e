import { randomBytes } from "node:crypto";
import * as os from "node:os";
import * as path from "node:path";
import { dataFolder, pulumiHomeFolder, stateFolder } from "../host/data-folder";
import { withFileLock } from "../host/file-lock";
import { exists, makeFolder, readJson, writeFileAtomic } from "../host/file-store";

/** Where the stacks' state is stored, and whose choice that is. */
export type Backend =
  | { readonly kind: "local"; readonly url: string }
  /** `why` names the variable or file that says so. */
  | { readonly kind: "user"; readonly why: string };

/** The user's own choice of a backend, where there is one; else the state folder on this host. */
export async function chooseBackend(environment: NodeJS.ProcessEnv = process.env): Promise<Backend> {
  const local: Backend = { kind: "local", url: `file://${stateFolder()}` };
  // Ours, from an earlier `eval "$(npx groundplane env)"`, is not the user's choice.
  if (environment.PULUMI_BACKEND_URL === local.url) return local;
  for (const variable of ["PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"]) {
    if (environment[variable]) return { kind: "user", why: variable };
  }
  const home = environment.PULUMI_HOME || path.join(os.homedir(), ".pulumi");
  const credentials = path.join(home, "credentials.json");
  const login = await readJson<{ readonly current?: string }>(credentials).catch(() => undefined);
  return login?.current ? { kind: "user", why: credentials } : local;
}

/** PULUMI_HOME for this project's commands: the user's if they logged in to a backend, else our own. */
export async function choosePulumiHome(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (environment.PULUMI_HOME) return environment.PULUMI_HOME;
  const backend = await chooseBackend(environment);
  return backend.kind === "local" ? pulumiHomeFolder() : path.join(os.homedir(), ".pulumi");
}

/**
 * The variables that `pulumi` needs in addition to the present environment. Creates the state folder and, once, the
 * passphrase that encrypts its secrets. Holds no secret: names the passphrase by its file.
 *
 * @param binFolder of `obtainPulumi`
 */
export async function pulumiEnvironment(
  binFolder: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Record<string, string>> {
  const backend = await chooseBackend(environment);
  // An existing folder keeps the mode that the user gave it.
  if (backend.kind === "local" && !(await exists(stateFolder()))) await makeFolder(stateFolder(), 0o700);
  const hasPassphrase = environment.PULUMI_CONFIG_PASSPHRASE || environment.PULUMI_CONFIG_PASSPHRASE_FILE;
  return {
    PATH: withFirst(binFolder, environment.PATH ?? ""),
    PULUMI_HOME: await choosePulumiHome(environment),
    ...(backend.kind === "local" ? { PULUMI_BACKEND_URL: backend.url } : {}),
    ...(hasPassphrase ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: await passphraseFile() }),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // Most operations wait for machines. The default of four per core slows small hosts down.
    ...(environment.PULUMI_PARALLEL ? {} : { PULUMI_PARALLEL: "32" }),
    // Otherwise a local backend keeps a copy of the whole state for each step; `stack export` is the backup.
    PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
    // A stack file may lack its `encryptionsalt` line, e.g. in a fresh checkout; the state has a copy.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
  };
}

/** The same variables as lines for a POSIX shell to evaluate; our folder goes before the shell's own PATH. */
export function formatShellExports(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) =>
      name === "PATH"
        ? `export PATH=${shellWord(value.split(path.delimiter)[0] ?? "")}:"$PATH"\n`
        : `export ${name}=${shellWord(value)}\n`,
    )
    .join("");
}

const shellWord = (value: string): string => `'${value.replaceAll("'", "'\\''")}'`;

function withFirst(folder: string, searchPath: string): string {
  const others = searchPath.split(path.delimiter).filter((entry) => entry && entry !== folder);
  return [folder, ...others].join(path.delimiter);
}

async function passphraseFile(): Promise<string> {
  const file = path.join(dataFolder(), "passphrase");
  await withFileLock(file, async () => {
    if (!(await exists(file))) await writeFileAtomic(file, `${randomBytes(32).toString("base64url")}\n`, 0o600);
  });
  return file;
}
