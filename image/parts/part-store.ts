import * as path from "node:path";
import { partsFolder } from "../../host/data-folder";
import type { BuildContext } from "../store/progress";
import { ensureSealed, type SealedFolder, type Verification } from "../store/sealed-folder";
import { chooseSource } from "./choose-source";
import { partName } from "./part-name";
import { type Part, type PartSource, partTitle } from "./part-source";

const partFolder = (part: Part): string => path.join(partsFolder(), partName(part));

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
