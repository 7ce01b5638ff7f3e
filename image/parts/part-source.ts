import type { ImageRecipe, ProgramsRecipe, RootTreeRecipe } from "../recipes/recipe";
import type { BuildContext } from "../store/progress";

/** What an image is made of and cannot be made from other parts. */
export type Part =
  | { readonly kind: "root-tree"; readonly recipe: RootTreeRecipe }
  | { readonly kind: "programs"; readonly recipe: ProgramsRecipe }
  /** A finished disk, which only bundles have: where nothing can be built, and where it would take longer. */
  | { readonly kind: "disk"; readonly recipe: ImageRecipe };

export interface Availability {
  readonly usable: boolean;
  /** Why or why not, as a sentence for a person. */
  readonly reason: string;
}

/** A place that parts come from. Whatever the source, a part has the same file names. */
export interface PartSource {
  readonly name: string;
  /** Whether this source knows the part at all; no network, no disk. */
  provides(part: Part): boolean;
  /** Looks quickly (at most a few seconds) whether it could be used, for this part where one is named; never throws. */
  available(part?: Part): Promise<Availability>;
  /**
   * Puts the part's files into an empty folder and says in a few words where they come from.
   * @throws UserError with the next step; what is in the folder then is thrown away by the caller
   */
  fetch(part: Part, target: string, context: BuildContext): Promise<string>;
}

/** How a part is called in progress lines, e.g. `root tree`. */
export function partTitle(part: Part): string {
  if (part.kind === "disk") return `${part.recipe.name} disk`;
  return part.kind === "root-tree" ? "root tree" : `${part.recipe.name} ${part.recipe.version}`;
}
