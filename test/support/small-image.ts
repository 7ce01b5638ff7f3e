import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import type { TestContext } from "node:test";
import type { PartSource } from "../../image/parts/part";
import { containerLayer } from "../../image/recipes/container-layer";
import { disk } from "../../image/recipes/disk";
import type { ImageRecipe } from "../../image/recipes/recipe";

/** An image that builds quickly, because its root tree has two files. */
export const smallRecipe: ImageRecipe = {
  recipeVersion: 1,
  name: "infrastructure",
  rootTree: {
    suite: "small",
    packages: [],
    forgotten: [],
    layer: { folder: "base", files: "", maskedUnits: [], disabledUnits: [], enabledUnits: {} },
  },
  container: containerLayer,
};

/** The same as a finished disk from the source. */
export const smallDiskRecipe: ImageRecipe = { ...smallRecipe, container: undefined, disk };

export interface SmallSource extends PartSource {
  /** How often a part was requested. */
  readonly fetches: () => number;
}

/** @param bytes size of the tree's larger file */
export function smallSource(bytes = 1024, beforeFetch: () => Promise<void> = async () => {}): SmallSource {
  let count = 0;
  return {
    name: "small",
    provides: () => true,
    available: async () => ({ usable: true, reason: "always there" }),
    fetches: () => count,
    fetch: async (part, target) => {
      count++;
      await beforeFetch();
      if (part.kind === "disk") {
        await fs.writeFile(path.join(target, "disk.raw"), sparseDisk(bytes));
      } else if (part.kind === "programs") {
        for (const program of part.recipe.programs) {
          await fs.writeFile(path.join(target, program), `#!/bin/sh\necho ${program}\n`, { mode: 0o755 });
        }
      } else {
        await fs.mkdir(path.join(target, "usr/bin"), { recursive: true });
        await fs.writeFile(path.join(target, "usr/bin/tool"), Buffer.alloc(bytes, "x"), { mode: 0o755 });
        await fs.symlink("usr/bin", path.join(target, "bin"));
      }
      return "a test";
    },
  };
}

/** A disk with some bytes at its start and its end, and a hole between them. */
function sparseDisk(bytes: number): Buffer {
  const disk = Buffer.alloc(8 * 1024 * 1024);
  for (const at of [0, disk.length - bytes]) disk.fill("x", at, at + bytes);
  return disk;
}

/**
 * Uses a separate data folder until the test ends.
 * @param beside the folder in which it is created
 */
export async function ownDataFolder(t: TestContext, beside = os.tmpdir()): Promise<string> {
  const folder = await fs.mkdtemp(path.join(beside, "groundplane-data-"));
  const before = process.env.GROUNDPLANE_DATA;
  process.env.GROUNDPLANE_DATA = folder;
  t.after(async () => {
    if (before === undefined) delete process.env.GROUNDPLANE_DATA;
    else process.env.GROUNDPLANE_DATA = before;
    await fs.rm(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Names in the folders of images and parts, where incomplete ones would appear. */
export async function storedNames(dataFolder: string): Promise<readonly string[]> {
  const names = [];
  for (const folder of ["images", "parts"]) {
    const found = await fs.readdir(path.join(dataFolder, folder)).catch(() => []);
    names.push(...found.map((name) => `${folder}/${name}`));
  }
  return names.sort();
}
