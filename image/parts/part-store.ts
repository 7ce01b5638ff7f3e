import * as path from "node:path";
import { partsFolder } from "../../provider/host/data-folder";
import { recipeHash } from "../image-names";
import type { BuildContext } from "../store/progress";
import { ensureSealed, type SealedFolder, type Verification } from "../store/sealed-folder";
import { chooseSource } from "./choose-source";
import { type Part, type PartSource, partTitle } from "./part-source";

/** Folder of a part; its name depends on the recipe alone, not on where the part came from. */
export function partFolder(part: Part): string {
  const hash = recipeHash(part.recipe);
  const name = part.kind === "root-tree" ? "base" : `${part.recipe.name}-${part.recipe.version}`;
  return path.join(partsFolder(), `${name}-${hash}`);
}

/** Gives a part, fetched from the first source that has it when it is absent or damaged. */
export async function ensurePart(
  part: Part,
  sources: readonly PartSource[],
  context: BuildContext & Verification,
): Promise<SealedFolder> {
  return ensureSealed(partFolder(part), partTitle(part), context, async (content) => {
    const source = await chooseSource(part, sources);
    context.progress({ phase: partTitle(part), message: `from ${source.name}` });
    return source.fetch(part, content, context);
  });
}
