import * as path from "node:path";
import { CommandError, type CommandResult } from "../../model/commands";
import { UserError } from "../../model/user-error";
import { aptFetchOptions, packageSources } from "../build/package-sources";
import { imageFolder } from "../image-files";
import { type Archive, archives } from "../recipes/archives";
import type { RootTreeRecipe } from "../recipes/recipe";
import type { BuildContext } from "../store/build-context";

/** Runs a program of apt for the archive of a root tree. */
export type PrivateApt = (
  program: "apt-get" | "apt-cache",
  words: readonly string[],
  options?: { readonly cwd?: string },
) => Promise<CommandResult>;

export type Distribution = Pick<RootTreeRecipe, "distribution" | "suite">;

export const archiveOf = ({ distribution = "debian" }: Distribution): Archive => archives[distribution];

/**
 * The host's apt with settings, lists and a record of installed packages of its own, in an empty folder: for another distribution
 * than that of the host, and for users other than root. Of the host's settings only those about fetching count. The lists are
 * verified with the archive's keys.
 * @throws UserError `apt-missing`, `network`
 */
export async function createPrivateApt(
  distribution: Distribution,
  folder: string,
  context: BuildContext,
): Promise<PrivateApt> {
  const { host } = context;
  const archive = archiveOf(distribution);
  for (const name of ["state/lists/partial", "cache/archives/partial", "log"])
    await host.files.makeFolder(path.join(folder, name));
  const write = (name: string, text: string) => host.files.writeAtomic(path.join(folder, name), text, 0o600);
  // Readable by this user only: the addresses of mirrors and proxies may contain a password.
  await write("sources.list", `${(await packageSources(host, archive, distribution.suite)).join("\n")}\n`);
  await write("status", "");
  const fetching = await aptFetchOptions(host).catch((error: unknown) => Promise.reject(explain(error, archive)));
  await write("apt.conf", `${[...settings(folder, archive), ...fetching].join("\n")}\n`);
  const env = { APT_CONFIG: path.join(folder, "apt.conf"), LC_ALL: "C" };
  const apt: PrivateApt = (program, words, { cwd } = {}) =>
    host.run([program, ...words], { env, cwd, signal: context.signal }).catch((error: unknown) => {
      context.signal?.throwIfAborted();
      throw explain(error, archive);
    });
  context.progress({ phase: "packages", message: `reading the lists of ${archive.title} ${distribution.suite}` });
  await apt("apt-get", ["-q", "update"]);
  return apt;
}

function settings(folder: string, { keyring }: Archive): readonly string[] {
  const none = "/dev/null";
  const values = {
    "Dir::Etc::SourceList": path.join(folder, "sources.list"),
    "Dir::Etc::SourceParts": none,
    "Dir::Etc::Main": none,
    "Dir::Etc::Parts": none,
    "Dir::Etc::Preferences": none,
    "Dir::Etc::PreferencesParts": none,
    "Dir::Etc::Trusted": path.resolve(imageFolder, keyring),
    "Dir::Etc::TrustedParts": none,
    "Dir::State": path.join(folder, "state"),
    "Dir::State::status": path.join(folder, "status"),
    "Dir::Cache": path.join(folder, "cache"),
    // Computed each time: a list may have got lines of its own.
    "Dir::Cache::pkgcache": "",
    "Dir::Cache::srcpkgcache": "",
    "Dir::Log": path.join(folder, "log"),
    "APT::Architecture": "amd64",
    "APT::Architectures": "amd64",
    "APT::Install-Recommends": "false",
    "APT::Update::Error-Mode": "any",
    // Other users, such as that of apt, cannot read the folder.
    "APT::Sandbox::User": "root",
    "Acquire::Languages": "none",
    "Acquire::GzipIndexes": "false",
    "Acquire::ForceHash": "sha256",
  };
  return Object.entries(values).map(([name, value]) => `${name} "${value}";`);
}

function explain(error: unknown, { title }: Archive): unknown {
  if (!(error instanceof CommandError)) return error;
  if (/cannot be started/.test(error.message)) {
    const hint = "run this on Debian or Ubuntu; a package lock is a file that other hosts can use, too";
    return new UserError("apt-missing", "apt is not installed on this host", hint, { cause: error });
  }
  return isUnreachable(error.message) ? unreachable(title, error) : error;
}

export const isUnreachable = (output: string): boolean =>
  /Could not (resolve|connect|handshake)|Temporary failure resolving|Failed to fetch|Connection/i.test(output);

export const unreachable = (title: string, cause: unknown): UserError =>
  new UserError(
    "network",
    `the ${title} mirror cannot be reached`,
    "check the network and the host's apt configuration (apt update shows it), or load a bundle, then run it again",
    { cause },
  );
