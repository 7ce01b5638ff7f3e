import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { layerFilesFolder } from "../image-files";
import type { LayerRecipe } from "../recipes/recipe";

const UNITS = "etc/systemd/system";

/**
 * Lays a layer over a root tree or an empty folder: its files, then what it says about units.
 * @throws Error when the files are not those that the recipe was recorded with
 */
export async function writeLayer(layer: LayerRecipe, target: string): Promise<void> {
  if (layerFilesDigest(layer.folder) !== layer.files) {
    throw new Error(`image/layers/${layer.folder} has changed: run npx tsx image/record-layers.ts`);
  }
  copyFiles(layerFilesFolder(layer.folder), target);
  for (const unit of layer.disabledUnits) removeWants(target, unit);
  for (const unit of layer.maskedUnits) {
    removeWants(target, unit);
    link("/dev/null", path.join(target, UNITS, unit));
  }
  for (const [unit, wantedBy] of Object.entries(layer.enabledUnits)) enable(target, unit, wantedBy);
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
    // A package may have a link there, e.g. to a place that only exists in a running system.
    fs.rmSync(target, { force: true });
    fs.copyFileSync(path.join(from, name), target);
    fs.chmodSync(target, modeOf(path.join(from, name)));
  }
}

/** Not the mode as it is: a checkout depends on the user's umask. */
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
  // Whatever the umask: nobody but root would get at what lies in a folder without these bits.
  const first = fs.mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = path.dirname(made)) fs.chmodSync(made, 0o755);
}
