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
 * @throws UserError `network`, `disk-full`, `command-failed` with the output of apt
 */
export async function buildDiskLayer(
  recipe: DiskRecipe,
  { distribution = "debian", suite }: RootTreeRecipe,
  tree: string,
  target: string,
  context: BuildContext,
): Promise<void> {
  const { files, trees } = context.host;
  await writeLayer(context.host, recipe.layer, target);
  if (recipe.packages.length === 0) return;
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
      PACKAGES: recipe.packages.join(" "),
      SOURCES: (await packageSources(context.host, archives[distribution], suite)).join("\n"),
      SOURCE_DATE_EPOCH: String(recipe.sealedAt),
    };
    await runBuildScript("install-disk-packages.sh", "disk layer", { env }, context);
  } finally {
    await files.remove(aptConf);
    await files.remove(work);
  }
}
