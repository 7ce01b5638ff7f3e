/** Loads a bundle and builds a recipe's disk from it as the current user: `make-small-disk.ts BUNDLE RECIPE`. */
import * as fs from "node:fs";
import { localHost } from "../../host/local-host";
import { ensureImages } from "../../image/build-images";
import { loadBundle } from "../../image/parts/load-bundle";
import type { ImageRecipe } from "../../image/recipes/recipe";
import { UserError } from "../../model/user-error";

async function make(bundle: string, recipe: string): Promise<unknown> {
  await loadBundle(localHost, bundle);
  return ensureImages(localHost, { recipes: [JSON.parse(fs.readFileSync(recipe, "utf8")) as ImageRecipe] });
}

make(process.argv[2] ?? "", process.argv[3] ?? "").then(
  (records) => console.log(JSON.stringify(records)),
  (error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    console.log(JSON.stringify({ id: error.id, problem: error.problem, hint: error.hint }));
  },
);
