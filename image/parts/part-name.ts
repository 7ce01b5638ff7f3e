import { imageName, recipeHash } from "../recipes/image-names";
import type { Part } from "./part-source";

/** Name of a part's folder; depends on the recipe alone, not on where the part came from. */
export function partName(part: Part): string {
  if (part.kind === "disk") return imageName(part.recipe);
  const title = part.kind === "root-tree" ? "base" : `${part.recipe.name}-${part.recipe.version}`;
  return `${title}-${recipeHash(part.recipe)}`;
}
