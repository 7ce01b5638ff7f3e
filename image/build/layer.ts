import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { layerFilesFolder } from "../image-files";
import type { KubernetesRecipe, LayerRecipe } from "../recipes/recipe";

const UNITS = "etc/systemd/system";

/**
 * Writes a layer over a root tree or to an empty folder: its files, then the state of its systemd units.
 * @throws Error when the files differ from those that the recipe records
 */
export async function writeLayer(layer: LayerRecipe, target: string): Promise<void> {
  if (layerFilesDigest(layer.folder) !== layer.files) {
    throw new Error(`image/layers/${layer.folder} has changed: run npx tsx image/entry/record-layers.ts`);
  }
  copyFiles(layerFilesFolder(layer.folder), target);
  for (const unit of layer.disabledUnits) removeWants(target, unit);
  for (const unit of layer.maskedUnits) {
    removeWants(target, unit);
    link("/dev/null", path.join(target, UNITS, unit));
  }
  for (const [unit, wantedBy] of Object.entries(layer.enabledUnits)) enable(target, unit, wantedBy);
}

/** The thin top layer that adapts a root tree to system containers. */
export async function buildContainerLayer(recipe: LayerRecipe, target: string): Promise<void> {
  await writeLayer(recipe, target);
  // systemd compares their time with that of /usr: the tree is up to date, and nothing has to be generated at boot.
  for (const name of ["etc", "var"]) {
    makeFolder(path.join(target, name));
    fs.writeFileSync(path.join(target, name, ".updated"), "# The image was sealed with everything generated.\n");
  }
}

/**
 * What masters and workers have on top of the root tree: tools in /usr/local/bin, units and containerd's settings.
 * @param programs returns the folder of a part's programs
 */
export async function buildKubernetesLayer(
  recipe: KubernetesRecipe,
  programs: (part: string) => string,
  target: string,
): Promise<void> {
  await writeLayer(recipe.layer, target);
  const folder = path.join(target, "usr", "local", "bin");
  makeFolder(folder);
  for (const { part, program } of recipe.nodePrograms) {
    linkOrCopy(path.join(programs(part), program), path.join(folder, program));
  }
}

/** A hard link costs no space; the part is sealed and so never written to. */
function linkOrCopy(from: string, to: string): void {
  try {
    fs.linkSync(from, to);
  } catch (error) {
    if (!["EXDEV", "EMLINK"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    fs.copyFileSync(from, to);
  }
}

/** sha256 over names, contents and the executable bit of a layer's files. */
export function layerFilesDigest(layer: string): string {
  const folder = layerFilesFolder(layer);
  const hash = createHash("sha256");
  for (const name of filesBelow(folder)) {
    const content = createHash("sha256")
      .update(fs.readFileSync(path.join(folder, name)))
      .digest("hex");
    hash.update(JSON.stringify([name, modeOf(path.join(folder, name)), content]));
  }
  return hash.digest("hex");
}

function copyFiles(from: string, to: string): void {
  for (const name of filesBelow(from)) {
    const target = path.join(to, name);
    makeFolder(path.dirname(target));
    // A package may have a link there, e.g. to a target that exists only in a running system.
    fs.rmSync(target, { force: true });
    fs.copyFileSync(path.join(from, name), target);
    fs.chmodSync(target, modeOf(path.join(from, name)));
  }
}

/** Normalized: the modes of a checkout depend on the user's umask. */
function modeOf(file: string): number {
  return fs.statSync(file).mode & 0o100 ? 0o755 : 0o644;
}

function filesBelow(folder: string, below = ""): string[] {
  const entries = fs.readdirSync(path.join(folder, below), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const name = path.join(below, entry.name);
    return entry.isDirectory() ? filesBelow(folder, name) : [name];
  });
}

function enable(target: string, unit: string, wantedBy: string): void {
  const own = path.join(UNITS, unit);
  const file = fs.existsSync(path.join(target, own)) ? `/${own}` : `/usr/lib/systemd/system/${unit}`;
  link(file, path.join(target, UNITS, `${wantedBy}.wants`, unit));
}

function removeWants(target: string, unit: string): void {
  const folder = path.join(target, UNITS);
  if (!fs.existsSync(folder)) return;
  for (const name of fs.readdirSync(folder)) {
    if (/\.(wants|requires)$/.test(name)) fs.rmSync(path.join(folder, name, unit), { force: true });
  }
}

function link(to: string, at: string): void {
  makeFolder(path.dirname(at));
  fs.rmSync(at, { force: true });
  fs.symlinkSync(to, at);
}

function makeFolder(folder: string): void {
  // Independent of the umask: without these bits, only root could read what is in the folder.
  const first = fs.mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = path.dirname(made)) fs.chmodSync(made, 0o755);
}
