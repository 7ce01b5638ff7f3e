import { imageName, recipeHash } from "../recipes/image-names";
import type { ImageRecipe, ProgramsRecipe, RootTreeRecipe } from "../recipes/recipe";
import type { BuildContext } from "../store/build-context";

/** A component of an image that does not consist of other components. */
export type Part =
  | { readonly kind: "root-tree"; readonly recipe: RootTreeRecipe }
  | { readonly kind: "programs"; readonly recipe: ProgramsRecipe }
  /** A finished disk. Only bundles have these, for hosts that cannot build one or would take longer. */
  | { readonly kind: "disk"; readonly recipe: ImageRecipe };

export interface Availability {
  readonly usable: boolean;
  /** Why or why not, as a sentence for people. */
  readonly reason: string;
}

/** A place that parts come from. A part has the same file names whatever its source. */
export interface PartSource {
  readonly name: string;
  /** Does this source have parts of this kind? Uses neither network nor disk. */
  provides(part: Part): boolean;
  /** Checks within a few seconds whether the source can be used, for this part where one is named. Never throws. */
  available(part?: Part): Promise<Availability>;
  /**
   * Writes the part's files to an empty folder and returns in a few words where they come from.
   * @throws UserError with the next step; the caller removes what is in the folder then
   */
  fetch(part: Part, target: string, context: BuildContext): Promise<string>;
}

/** A part's name in progress lines, e.g. `root tree`. */
export function partTitle(part: Part): string {
  if (part.kind === "disk") return `${part.recipe.name} disk`;
  return part.kind === "root-tree" ? "root tree" : `${part.recipe.name} ${part.recipe.version}`;
}

/** Name of a part's folder. Depends on the recipe alone, not on where the part comes from. */
export function partName(part: Part): string {
  if (part.kind === "disk") return imageName(part.recipe);
  const title = part.kind === "root-tree" ? "base" : `${part.recipe.name}-${part.recipe.version}`;
  return `${title}-${recipeHash(part.recipe)}`;
}
