import { randomBytes } from "node:crypto";
import * as os from "node:os";
import * as path from "node:path";
import { dataFolder, pulumiHomeFolder, stateFolder } from "../host/data-folder";
import { withFileLock } from "../host/file-lock";
import { exists, makeFolder, readIfPresent, readJson, writeFileAtomic } from "../host/file-store";
import { emptyPassphrase, passphraseFileUnusable } from "../model/passphrase";

/** Where the stacks' state is stored, and whose choice that is. */
export type Backend =
  | { readonly kind: "local"; readonly url: string }
  /** `why` names the variable or file that says so; `url` is what it says, if it says a place. */
  | { readonly kind: "user"; readonly why: string; readonly url?: string };

/** The user's own choice of a backend, where there is one; else the state folder on this host. */
export async function chooseBackend(environment: NodeJS.ProcessEnv = process.env): Promise<Backend> {
  const local: Backend = { kind: "local", url: fileUrl(stateFolder()) };
  // Ours, from an earlier `eval "$(npx groundplane env)"`, is not the user's choice.
  if (environment.PULUMI_BACKEND_URL === local.url) return local;
  const { PULUMI_BACKEND_URL: url, PULUMI_ACCESS_TOKEN: token } = environment;
  if (url) return { kind: "user", why: "PULUMI_BACKEND_URL", url };
  if (token) return { kind: "user", why: "PULUMI_ACCESS_TOKEN" };
  const credentials = path.join(credentialsFolder(environment), "credentials.json");
  const login = await readJson<{ readonly current?: string }>(credentials).catch(() => undefined);
  return login?.current ? { kind: "user", why: credentials, url: login.current } : local;
}

/** The URL of a folder as Pulumi reads it: it decodes the path, and takes `?` and `#` for the end of it. */
export function fileUrl(folder: string, platform: string = process.platform): string {
  const place = platform === "win32" ? folder.replaceAll("\\", "/") : folder;
  return `file://${place.replace(/[%?#]/g, (character) => encodeURIComponent(character))}`;
}

/** Where the user's login is stored: their own PULUMI_HOME, unless they say otherwise. */
export const credentialsFolder = (environment: NodeJS.ProcessEnv = process.env): string =>
  environment.PULUMI_CREDENTIALS_PATH || environment.PULUMI_HOME || path.join(os.homedir(), ".pulumi");

/**
 * The variables that `pulumi` needs in addition to the present environment. Creates the state folder and, once, the
 * passphrase that encrypts its secrets. Holds no secret: names the passphrase by its file.
 *
 * PULUMI_HOME is always a folder of ours, because plugins are installed into it. A user's login is read where it is.
 *
 * @param binFolder of `obtainPulumi`
 * @throws UserError `empty-passphrase`, `passphrase-file`
 */
export async function pulumiEnvironment(
  binFolder: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Record<string, string>> {
  const backend = await chooseBackend(environment);
  if (encryptsWithPassphrase(backend)) await refuseUnusablePassphrase(environment);
  // An existing folder keeps the mode that the user gave it.
  if (backend.kind === "local" && !(await exists(stateFolder()))) await makeFolder(stateFolder(), 0o700);
  const hasPassphrase = environment.PULUMI_CONFIG_PASSPHRASE || environment.PULUMI_CONFIG_PASSPHRASE_FILE;
  return {
    PATH: withFirst(binFolder, environment.PATH ?? ""),
    PULUMI_HOME: pulumiHomeFolder(),
    ...(backend.kind === "local"
      ? { PULUMI_BACKEND_URL: backend.url }
      : { PULUMI_CREDENTIALS_PATH: credentialsFolder(environment) }),
    ...(hasPassphrase ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: await passphraseFile() }),
    // A relative one would mean another folder for Pulumi, whose working folder is the project's.
    ...(environment.GROUNDPLANE_DATA ? { GROUNDPLANE_DATA: dataFolder() } : {}),
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

/** Pulumi's own service has a key for each stack. All other backends use the passphrase. */
const encryptsWithPassphrase = (backend: Backend): boolean =>
  backend.kind === "local" || (backend.url !== undefined && !/^https?:/.test(backend.url));

/** Pulumi takes a variable that is set but empty for an empty passphrase, and it prefers the variable to the file. */
async function refuseUnusablePassphrase(environment: NodeJS.ProcessEnv): Promise<void> {
  const { PULUMI_CONFIG_PASSPHRASE: passphrase, PULUMI_CONFIG_PASSPHRASE_FILE: file } = environment;
  if (passphrase === "") throw emptyPassphrase();
  if (passphrase !== undefined || !file) return;
  const text = await readIfPresent(path.resolve(file)).catch(() => undefined);
  if (text === undefined || text.trim() === "") throw passphraseFileUnusable(file, text !== undefined);
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
