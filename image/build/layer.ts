import { createHash } from "node:crypto";
import * as path from "node:path";
import type { Host } from "../../model/host";
import type { TreeEntry } from "../../model/host-trees";
import { layerFilesFolder } from "../image-files";
import type { KubernetesRecipe, LayerRecipe } from "../recipes/recipe";

const UNITS = "etc/systemd/system";

/**
 * Writes a layer over a root tree or to an empty folder: its files, then the state of its systemd units.
 * @throws Error when the files differ from those that the recipe records
 */
export async function writeLayer(host: Host, layer: LayerRecipe, target: string): Promise<void> {
  if ((await layerFilesDigest(host, layer.folder)) !== layer.files) {
    throw new Error(`image/layers/${layer.folder} has changed: run npx tsx image/entry/record-layers.ts`);
  }
  await copyFiles(host, layer, target);
  for (const unit of layer.disabledUnits) await removeWants(host, target, unit);
  for (const unit of layer.maskedUnits) {
    await removeWants(host, target, unit);
    await link(host, "/dev/null", target, path.join(UNITS, unit));
  }
  for (const [unit, wantedBy] of Object.entries(layer.enabledUnits)) await enable(host, target, unit, wantedBy);
}

/** The thin top layer that adapts a root tree to system containers. */
export async function buildContainerLayer(host: Host, recipe: LayerRecipe, target: string): Promise<void> {
  await writeLayer(host, recipe, target);
  // systemd compares their time with that of /usr: the tree is up to date, and nothing has to be generated at boot.
  for (const folder of ["etc", "var"]) {
    await createInTree(host, target, folder);
    const mark = path.join(target, folder, ".updated");
    await host.files.writeAtomic(mark, "# The image was sealed with everything generated.\n");
  }
}

/**
 * What masters and workers have on top of the root tree: tools in /usr/local/bin, units and the settings of the container runtime.
 * @param programs returns the folder of a part's programs
 */
export async function buildKubernetesLayer(
  host: Host,
  recipe: KubernetesRecipe,
  programs: (part: string) => string,
  target: string,
): Promise<void> {
  await writeLayer(host, recipe.layer, target);
  if (recipe.runtimeLayer) await writeLayer(host, recipe.runtimeLayer, target);
  await namePause(host, recipe, target);
  const folder = await createInTree(host, target, "usr/local/bin");
  for (const { part, program } of recipe.nodePrograms) {
    // A hard link costs no space; the part is sealed and so never written to.
    await host.trees.linkOrCopy(path.join(programs(part), program), path.join(folder, program));
  }
}

/** Settings of the runtimes that name the pause image. */
export const pauseSettings = ["etc/containerd/config.toml", "etc/systemd/system/cri-dockerd.service"] as const;

/** The files of the layers, which all releases share, name the image of one of them. Pure. */
export const withPause = (settings: string, image: string): string =>
  settings.replaceAll(/registry\.k8s\.io\/pause:[\w.-]+/g, image);

async function namePause(host: Host, { containerImages }: KubernetesRecipe, target: string): Promise<void> {
  const image = containerImages.find(({ name }) => name.includes("/pause:"))?.name;
  for (const file of pauseSettings.map((name) => path.join(target, name))) {
    const text = await host.files.readText(file);
    if (text === undefined || image === undefined) continue;
    const named = withPause(text, image);
    if (named !== text) await host.files.writeAtomic(file, named, 0o644);
  }
}

/** sha256 over names, contents and the executable bit of a layer's files. */
export async function layerFilesDigest(host: Host, layer: string): Promise<string> {
  const hash = createHash("sha256");
  for (const entry of await layerFiles(host, layer)) {
    const content = await host.files.digest(path.join(layerFilesFolder(layer), entry.name));
    hash.update(JSON.stringify([entry.name, modeOf(entry), content]));
  }
  return hash.digest("hex");
}

async function copyFiles(host: Host, { folder, privateFiles = [] }: LayerRecipe, to: string): Promise<void> {
  for (const entry of await layerFiles(host, folder)) {
    const target = path.join(to, entry.name);
    await createInTree(host, to, path.dirname(entry.name));
    // A package may have a link there, e.g. to a target that exists only in a running system.
    await host.files.remove(target);
    const mode = privateFiles.includes(entry.name) ? 0o600 : modeOf(entry);
    await host.trees.copyFile(path.join(layerFilesFolder(folder), entry.name), target, mode);
  }
}

const layerFiles = async ({ trees }: Host, layer: string): Promise<readonly TreeEntry[]> =>
  (await trees.entries(layerFilesFolder(layer))).filter(({ kind }) => kind !== "folder");

/** Normalized: the modes of a checkout depend on the user's umask. */
const modeOf = ({ mode }: TreeEntry): number => (mode & 0o100 ? 0o755 : 0o644);

async function enable(host: Host, target: string, unit: string, wantedBy: string): Promise<void> {
  const own = path.join(UNITS, unit);
  const isOwn = await host.files.exists(path.join(target, own));
  const file = isOwn ? `/${own}` : `/usr/lib/systemd/system/${unit}`;
  await link(host, file, target, path.join(UNITS, `${wantedBy}.wants`, unit));
}

async function removeWants({ files }: Host, target: string, unit: string): Promise<void> {
  const folder = path.join(target, UNITS);
  for (const name of await files.list(folder)) {
    if (/\.(wants|requires)$/.test(name)) await files.remove(path.join(folder, name, unit));
  }
}

/** Replaces what is in the tree at this path. */
async function link(host: Host, to: string, tree: string, at: string): Promise<void> {
  const folder = await createInTree(host, tree, path.dirname(at));
  const file = path.join(folder, path.basename(at));
  await host.files.remove(file);
  await host.trees.link(to, file);
}

/**
 * Creates a folder and its parents in a root tree, all with the mode 0755 whatever the umask is: guests read them as
 * other users. Returns its path.
 */
async function createInTree({ trees }: Host, tree: string, folder: string): Promise<string> {
  let at = tree;
  await trees.createFolder(at);
  for (const name of path.normalize(folder).split(path.sep)) {
    at = path.join(at, name);
    await trees.createFolder(at);
  }
  return at;
}
