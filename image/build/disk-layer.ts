import { checkInstalled } from "../packages/installed-packages";
import { withRepository } from "../packages/local-repository";
import { archives } from "../recipes/archives";
import type { DiskRecipe, RootTreeRecipe } from "../recipes/recipe";
import type { BuildContext } from "../store/build-context";
import { overlayMarks, runBuildScript } from "./build-script";
import { writeLayer } from "./layer";
import { aptFetchOptions, packageSources } from "./package-sources";
import { leaveOut } from "./root-tree";

/** Drivers of hardware that no hypervisor emulates: most of the kernel's modules. */
const leaveOutModules = [
  ...["sound", "arch/x86/kvm", "net/bluetooth", "net/mac80211", "net/wireless"],
  ...["bluetooth", "gpu", "iio", "infiniband", "media", "net/wireless", "parport", "staging"].map(
    (name) => `drivers/${name}`,
  ),
].map((folder) => `path-exclude=/usr/lib/modules/*/kernel/${folder}/*`);

/**
 * Builds what a virtual machine has on top of the root tree: kernel, initramfs, boot loader, tools for disks.
 * @param tree the root tree; only read
 * @throws UserError `network`, `disk-full`, `command-failed` with the output of apt; with a package lock also as `fetchPackages`
 */
export async function buildDiskLayer(
  recipe: DiskRecipe,
  rootTree: RootTreeRecipe,
  tree: string,
  target: string,
  context: BuildContext,
): Promise<void> {
  const { host } = context;
  const { distribution = "debian", suite, locked: below = [] } = rootTree;
  await writeLayer(host, recipe.layer, target);
  if (recipe.packages.length === 0) return;
  const { locked } = recipe;
  if (!locked) {
    const sources = await packageSources(host, archives[distribution], suite);
    return installPackages(recipe, { names: recipe.packages, sources }, tree, target, context);
  }
  const names = locked.map(({ name }) => name);
  await withRepository(rootTree, locked, context, (repository, words) => {
    const sources = [`deb [trusted=yes] file://${REPOSITORY_IN_ROOT} ${words}`];
    return installPackages(recipe, { names, sources, repository }, tree, target, context);
  });
  await checkInstalled(host, target, [...below, ...locked]);
}

/** Where the script mounts the repository. */
const REPOSITORY_IN_ROOT = "/run/packages";

interface Installation {
  readonly names: readonly string[];
  /** Lines for apt. */
  readonly sources: readonly string[];
  /** A folder with all packages. */
  readonly repository?: string;
}

async function installPackages(
  recipe: DiskRecipe,
  { names, sources, repository = "" }: Installation,
  tree: string,
  target: string,
  context: BuildContext,
): Promise<void> {
  const { files, trees } = context.host;
  const work = await trees.createFolderBeside(`${target}-work-`);
  const aptConf = `${work}.apt.conf`;
  try {
    const options = [...leaveOut, ...leaveOutModules].map((option) => `DPkg::Options:: "--${option}";`);
    const settings = [
      'Dir::Etc::SourceList "/run/sources.list";',
      'Dir::Etc::SourceParts "/dev/null";',
      ...options,
      ...(await aptFetchOptions(context.host)),
    ];
    // Readable by this user only: the address of a proxy may contain a password.
    await files.writeAtomic(aptConf, `${settings.join("\n")}\n`, 0o600);
    const env = {
      TREE: tree,
      LAYER: target,
      WORK: work,
      MARKS: await overlayMarks(context.host),
      APT_CONF: aptConf,
      PACKAGES: names.join(" "),
      SOURCES: sources.join("\n"),
      REPOSITORY: repository,
      SOURCE_DATE_EPOCH: String(recipe.sealedAt),
    };
    await runBuildScript("install-disk-packages.sh", "disk layer", { env }, context);
  } finally {
    await files.remove(aptConf);
    await files.remove(work);
  }
}
