import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { KubernetesRecipe } from "../recipes/recipe";
import { writeLayer } from "./layer";

/**
 * What masters and workers have on top of the root tree: tools in /usr/local/bin, units and containerd's settings.
 * @param programs gives the folder of a part's programs
 */
export async function buildKubernetesLayer(
  recipe: KubernetesRecipe,
  programs: (part: string) => string,
  target: string,
): Promise<void> {
  await writeLayer(recipe.layer, target);
  const folder = path.join(target, "usr", "local", "bin");
  await fs.mkdir(folder, { recursive: true, mode: 0o755 });
  for (const { part, program } of recipe.nodePrograms) {
    await linkOrCopy(path.join(programs(part), program), path.join(folder, program));
  }
}

/** A hard link costs no space; the part is sealed and so never written to. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  await fs.link(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EXDEV" && error.code !== "EMLINK") throw error;
    return fs.copyFile(from, to);
  });
}
