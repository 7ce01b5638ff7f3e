import * as fs from "node:fs/promises";
import * as path from "node:path";
import { listFolder, removeTree, writeFileAtomic } from "../../host/file-store";
import { runCommand } from "../../host/run-command";
import { UserError } from "../../model/user-error";
import { imageFolder } from "../image-files";
import { type Archive, archives } from "../recipes/archives";
import type { RootTreeRecipe } from "../recipes/recipe";
import type { BuildContext } from "../store/progress";
import { asStorageError } from "../store/storage-error";
import { writeLayer } from "./layer";
import { aptFetchOptions, packageSources } from "./package-sources";

/** Nobody reads manuals on a node, and translations would be a tenth of the tree; licences stay. */
export const leaveOut = [
  "path-exclude=/usr/share/man/*",
  "path-exclude=/usr/share/locale/*",
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
];

/**
 * Makes the root tree of all roles in an empty folder from packages. Needs root and mmdebstrap.
 * @throws UserError `mmdebstrap-missing`, `network`, `disk-full`, `command-failed` with what mmdebstrap said
 */
export async function buildRootTree(recipe: RootTreeRecipe, target: string, context: BuildContext): Promise<string> {
  const archive = archives[recipe.distribution ?? "debian"];
  const sources = await packageSources(archive, recipe.suite);
  const aptOptions = `${target}.apt.conf`;
  const argv = [
    "mmdebstrap",
    "--mode=root",
    "--variant=minbase",
    "--format=directory",
    `--keyring=${path.resolve(imageFolder, archive.keyring)}`,
    `--include=${recipe.packages.join(",")}`,
    `--aptopt=${aptOptions}`,
    ...leaveOut.map((option) => `--dpkgopt=${option}`),
    recipe.suite,
    target,
    ...sources,
  ];
  // A file that only we may read: the address of a proxy may hold a password.
  await writeFileAtomic(
    aptOptions,
    ['APT::Install-Recommends "false";', ...(await aptFetchOptions()), ""].join("\n"),
    0o600,
  );
  try {
    await runMmdebstrap(argv, archive, target, context);
  } finally {
    await removeTree(aptOptions);
  }
  await forgetTheBuilder(target, recipe.forgotten);
  await writeLayer(recipe.layer, target);
  return `${archive.title} ${recipe.suite} from ${sources[0]?.split(" ")[1]}`;
}

async function runMmdebstrap(
  argv: readonly string[],
  { title }: Archive,
  target: string,
  { progress, signal }: BuildContext,
): Promise<void> {
  try {
    await runCommand(argv, {
      signal,
      onLine: (line) => {
        const step = /^I: (.*)/.exec(line)?.[1];
        if (step) progress({ phase: "root tree", message: step });
      },
    });
  } catch (error) {
    signal?.throwIfAborted();
    const said = asStorageError(error, target);
    if (said !== error || !(error instanceof Error)) throw said;
    if (/cannot be started/.test(error.message)) {
      throw new UserError("mmdebstrap-missing", "mmdebstrap is not installed", "apt install mmdebstrap", {
        cause: error,
      });
    }
    if (/Could not (resolve|connect)|Temporary failure resolving|Failed to fetch|Connection/i.test(error.message)) {
      throw new UserError(
        "network",
        `the ${title} mirror cannot be reached`,
        "check the network and the host's apt configuration (apt update shows it), or load a bundle, then run it again",
        { cause: error },
      );
    }
    throw error;
  }
}

/**
 * What identifies a machine is made anew by every machine; what mmdebstrap copied from the building host goes. Devices do
 * too: every machine has its kernel's, and root of a user namespace could make none.
 */
async function forgetTheBuilder(tree: string, names: readonly string[]): Promise<void> {
  for (const device of await listFolder(path.join(tree, "dev"))) await removeTree(path.join(tree, "dev", device));
  for (const name of names) await removeTree(path.join(tree, name));
  const keys = (await fs.readdir(path.join(tree, "etc/ssh"))).filter((name) => name.startsWith("ssh_host_"));
  for (const key of keys) await removeTree(path.join(tree, "etc/ssh", key));
  // Empty, not absent: systemd takes a missing one for a first boot and would enable every unit there is.
  await writeFileAtomic(path.join(tree, "etc/machine-id"), "", 0o444);
  for (const log of await fs.readdir(path.join(tree, "var/log"), { withFileTypes: true })) {
    if (log.isFile() || log.name === "apt") await removeTree(path.join(tree, "var/log", log.name));
  }
}
