import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { dataFolder, pulumiHomeFolder, stateFolder } from "../host/data-folder";
import { withFileLock } from "../host/file-lock";
import { exists, readJson, writeFileAtomic } from "../host/file-store";

/** Who decides where the stacks' state is kept. */
export type Backend =
  | { readonly kind: "local"; readonly url: string }
  /** `why` names the variable or file that says so. */
  | { readonly kind: "user"; readonly why: string };

/** The user's own choice of a backend, where there is one; else the state folder on this host. */
export async function chooseBackend(environment: NodeJS.ProcessEnv = process.env): Promise<Backend> {
  const local: Backend = { kind: "local", url: `file://${stateFolder()}` };
  // Ours, from an `eval "$(npx groundplane env)"` before, is not a choice of the user's.
  if (environment.PULUMI_BACKEND_URL === local.url) return local;
  for (const variable of ["PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"]) {
    if (environment[variable]) return { kind: "user", why: variable };
  }
  const home = environment.PULUMI_HOME || path.join(os.homedir(), ".pulumi");
  const credentials = path.join(home, "credentials.json");
  const login = await readJson<{ readonly current?: string }>(credentials).catch(() => undefined);
  return login?.current ? { kind: "user", why: credentials } : local;
}

/** PULUMI_HOME for this project's commands: the user's where his login is, else one of our own. */
export async function choosePulumiHome(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (environment.PULUMI_HOME) return environment.PULUMI_HOME;
  const backend = await chooseBackend(environment);
  return backend.kind === "local" ? pulumiHomeFolder() : path.join(os.homedir(), ".pulumi");
}

/**
 * What has to be in the environment of `pulumi`, beside what is there already. Makes the state folder and, once, the
 * passphrase that encrypts secrets in it. Holds no secret: the passphrase is named by its file.
 *
 * @param binFolder of `obtainPulumi`
 */
export async function pulumiEnvironment(
  binFolder: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Record<string, string>> {
  const backend = await chooseBackend(environment);
  if (backend.kind === "local") await fs.mkdir(stateFolder(), { recursive: true, mode: 0o700 });
  const hasPassphrase = environment.PULUMI_CONFIG_PASSPHRASE || environment.PULUMI_CONFIG_PASSPHRASE_FILE;
  return {
    PATH: withFirst(binFolder, environment.PATH ?? ""),
    PULUMI_HOME: await choosePulumiHome(environment),
    ...(backend.kind === "local" ? { PULUMI_BACKEND_URL: backend.url } : {}),
    ...(hasPassphrase ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: await passphraseFile() }),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // Most of the work is waiting for machines: the default, four for each core, holds back the small hosts.
    ...(environment.PULUMI_PARALLEL ? {} : { PULUMI_PARALLEL: "32" }),
    // A local backend keeps a copy of the whole state for each step otherwise; `stack export` is the backup.
    PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
    // A stack file without an `encryptionsalt` line (a fresh checkout) is read with the one that the state keeps.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
  };
}

/** The same as lines for a POSIX shell to evaluate; the shell's own PATH stays, behind our first folder. */
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
