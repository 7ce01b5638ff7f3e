import * as path from "node:path";
import type { Host } from "../../model/host";
import { UserError, withoutCredentials } from "../../model/user-error";
import { imageFolder } from "../image-files";
import { checkInstalled } from "../packages/installed-packages";
import { withRepository } from "../packages/local-repository";
import { isUnreachable, unreachable } from "../packages/private-apt";
import { type Archive, archives } from "../recipes/archives";
import type { RootTreeRecipe } from "../recipes/recipe";
import { asStorageError, type BuildContext } from "../store/build-context";
import { reportSteps } from "./build-script";
import { writeLayer } from "./layer";
import { aptFetchOptions, packageSources } from "./package-sources";

/** Manuals and translations are not needed on a node, and would be a tenth of the tree. Licences stay. */
export const leaveOut = [
  "path-exclude=/usr/share/man/*",
  "path-exclude=/usr/share/locale/*",
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
];

/**
 * Builds the root tree of all roles from packages, in an empty folder. Needs root and mmdebstrap.
 * @throws UserError `mmdebstrap-missing`, `network`, `disk-full`, `command-failed` with the output of mmdebstrap; with a package lock
 * also as `fetchPackages`
 */
export async function buildRootTree(recipe: RootTreeRecipe, target: string, context: BuildContext): Promise<string> {
  const { host } = context;
  const { locked } = recipe;
  const archive = archives[recipe.distribution ?? "debian"];
  const sources = await packageSources(host, archive, recipe.suite);
  if (locked) {
    const names = locked.map(({ name }) => name);
    await withRepository(recipe, locked, context, (folder, words) =>
      // The digests of its packages are those of the lock, so that it needs no signature.
      installPackages(recipe, names, [`deb [trusted=yes] copy://${encodeURI(folder)} ${words}`], target, context),
    );
    await checkInstalled(host, target, locked);
    await host.files.writeAtomic(path.join(target, "etc/apt/sources.list"), `${sources.join("\n")}\n`);
  } else await installPackages(recipe, recipe.packages, sources, target, context);
  await removeIdentity(host, target, recipe.forgotten);
  await removeCredentials(host, path.join(target, "etc/apt/sources.list"));
  await writeLayer(host, recipe.layer, target);
  const origin = withoutCredentials(`${archive.title} ${recipe.suite} from ${sources[0]?.split(" ")[1]}`);
  return locked ? `${origin}, by a package lock` : origin;
}

async function installPackages(
  recipe: RootTreeRecipe,
  names: readonly string[],
  sources: readonly string[],
  target: string,
  context: BuildContext,
): Promise<void> {
  const { host } = context;
  const archive = archives[recipe.distribution ?? "debian"];
  const aptOptions = `${target}.apt.conf`;
  const argv = [
    "mmdebstrap",
    "--mode=root",
    "--variant=minbase",
    "--format=directory",
    `--keyring=${path.resolve(imageFolder, archive.keyring)}`,
    `--include=${names.join(",")}`,
    `--aptopt=${aptOptions}`,
    ...leaveOut.map((option) => `--dpkgopt=${option}`),
    recipe.suite,
    target,
    // From standard input: the addresses of mirrors and proxies may contain a password, and every user sees arguments.
    "-",
  ];
  await host.files.writeAtomic(
    aptOptions,
    ['APT::Install-Recommends "false";', ...(await aptFetchOptions(host)), ""].join("\n"),
    0o600,
  );
  try {
    await runMmdebstrap(argv, sources, archive, target, context);
  } finally {
    await host.files.remove(aptOptions);
  }
}

async function runMmdebstrap(
  argv: readonly string[],
  sources: readonly string[],
  { title }: Archive,
  target: string,
  { host, progress, signal }: BuildContext,
): Promise<void> {
  try {
    await host.run(argv, { stdin: `${sources.join("\n")}\n`, signal, onLine: reportSteps("root tree", progress) });
  } catch (error) {
    signal?.throwIfAborted();
    const explained = asStorageError(error, target);
    if (explained !== error || !(error instanceof Error)) throw explained;
    if (/cannot be started/.test(error.message)) {
      throw new UserError("mmdebstrap-missing", "mmdebstrap is not installed", "apt install mmdebstrap", {
        cause: error,
      });
    }
    throw isUnreachable(error.message) ? unreachable(title, error) : error;
  }
}

/** Images are copied to other hosts, and every user of a machine reads the list. */
async function removeCredentials({ files }: Host, list: string): Promise<void> {
  const text = (await files.readText(list)) ?? "";
  const clean = withoutCredentials(text).replaceAll("://***@", "://");
  if (clean !== text) await files.writeAtomic(list, clean, 0o644);
}

/**
 * Removes what identifies a machine, because each machine creates its own, and what mmdebstrap copied from this host.
 * Removes devices, too: each machine has those of its kernel, and root of a user namespace cannot create any.
 */
async function removeIdentity({ files, trees }: Host, tree: string, names: readonly string[]): Promise<void> {
  for (const device of await files.list(path.join(tree, "dev"))) await files.remove(path.join(tree, "dev", device));
  for (const name of names) await files.remove(path.join(tree, name));
  const keys = (await files.list(path.join(tree, "etc/ssh"))).filter((name) => name.startsWith("ssh_host_"));
  for (const key of keys) await files.remove(path.join(tree, "etc/ssh", key));
  // Empty, not absent: systemd treats a missing file as a first boot, and would enable every unit.
  await files.writeAtomic(path.join(tree, "etc/machine-id"), "", 0o444);
  for (const name of await files.list(path.join(tree, "var/log"))) {
    const log = path.join(tree, "var/log", name);
    if (name === "apt" || (await trees.entry(log))?.kind === "file") await files.remove(log);
  }
}
