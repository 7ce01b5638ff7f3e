import * as fs from "node:fs/promises";
import * as path from "node:path";
import { imagesFolder } from "../../host/data-folder";
import { removeTree } from "../../host/file-store";
import { discard } from "./discard";
import type { BuildContext } from "./progress";
import { asStorageError } from "./storage-error";

/**
 * Makes an image's folder beside its place and gives it its name at the end, so that a half-made one is never found.
 * @param found what is wrong with the one that is there, `absent` when there is none
 * @param make fills the folder that it is given
 */
export async function replaceImage<R>(
  name: string,
  found: string,
  context: BuildContext,
  make: (folder: string) => Promise<R>,
): Promise<R> {
  const folder = path.join(imagesFolder(), name);
  if (found !== "absent") {
    context.progress({ phase: name, message: `is damaged (${found}) and is made anew` });
    await discard(folder);
  }
  const partial = `${folder}.partial`;
  await removeTree(partial);
  try {
    const made = await make(partial);
    await fs.rename(partial, folder);
    return made;
  } catch (error) {
    await removeTree(partial);
    throw asStorageError(error, folder);
  }
}
