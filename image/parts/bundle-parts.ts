import { programsOf } from "../recipes/kubernetes";
import type { ImageRecipe, ProgramsRecipe } from "../recipes/recipe";
import { type Part, partName } from "./part";

/**
 * Every part of the images, each once, and what restores need beside them.
 *
 * @param programs that are in no image
 */
export function partsOf(recipes: readonly ImageRecipe[], programs: readonly ProgramsRecipe[] = []): readonly Part[] {
  const parts = recipes.flatMap((recipe): Part[] => [
    ...(recipe.disk ? [{ kind: "disk", recipe } as const] : [{ kind: "root-tree", recipe: recipe.rootTree } as const]),
    ...programsBeside(recipe).map((beside): Part => ({ kind: "programs", recipe: beside })),
  ]);
  const others = programs.map((recipe): Part => ({ kind: "programs", recipe }));
  return [...new Map([...parts, ...others].map((part) => [partName(part), part])).values()];
}

/** A finished disk has the programs of its image. */
function programsBeside({ kubernetes, disk }: ImageRecipe): readonly ProgramsRecipe[] {
  if (!kubernetes) return [];
  const all = programsOf(kubernetes);
  return disk ? all.filter((each) => !kubernetes.parts.includes(each)) : all;
}
