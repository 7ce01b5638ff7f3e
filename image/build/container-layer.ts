import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { LayerRecipe } from "../recipes/recipe";
import { writeLayer } from "./layer";

/** The thin top layer that makes a root tree a good system container. */
export async function buildContainerLayer(recipe: LayerRecipe, target: string): Promise<void> {
  await writeLayer(recipe, target);
  // systemd compares their time with that of /usr: the tree is up to date, nothing has to be generated at boot.
  for (const folder of ["etc", "var"]) {
    await fs.mkdir(path.join(target, folder), { recursive: true, mode: 0o755 });
    await fs.writeFile(path.join(target, folder, ".updated"), "# The image was sealed with everything generated.\n");
  }
}
