import * as fs from "node:fs/promises";
import * as path from "node:path";
import { imagesFolder } from "../../host/data-folder";
import { digestFile } from "../../host/digest-file";
import { exists, readJson, writeJson } from "../../host/file-store";
import { imageName } from "../recipes/image-names";
import type { ImageRecipe } from "../recipes/recipe";
import type { BuildContext } from "../store/build-context";
import { replaceFolder } from "../store/replace-folder";
import type { Verification } from "../store/sealed-folder";

export const DISK_FILE = "disk.raw";

/** `image.json` of a disk, the last file of its folder. */
export interface DiskRecord {
  readonly name: string;
  readonly form: "disk";
  /** Only trees keep their layers apart. */
  readonly layers?: undefined;
  /** `sha256:<hex>` of the file; holes count as zeros. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** ms since 1970: a change is noticed without reading the file. */
  readonly modified: number;
  readonly recipe: ImageRecipe;
  /** By part: where it came from. */
  readonly createdFrom: Readonly<Record<string, string>>;
}

/** Writes the disk and returns where its parts came from. */
export type WriteDisk = (target: string) => Promise<DiskRecord["createdFrom"]>;

/** The disk, when it is complete; otherwise the reason in words, or `absent`. */
export async function openDisk(recipe: ImageRecipe, { full = false }: Verification): Promise<DiskRecord | string> {
  const folder = path.join(imagesFolder(), imageName(recipe));
  const record = await readJson<DiskRecord>(path.join(folder, "image.json")).catch(() => undefined);
  if (!record) return (await exists(folder)) ? "its record is damaged" : "absent";
  const file = path.join(folder, DISK_FILE);
  const found = await fs.stat(file).catch(() => undefined);
  if (!found) return `${DISK_FILE} is missing`;
  const same = found.size === record.sizeBytes && Math.trunc(found.mtimeMs) === record.modified;
  if (full ? (await digestOf(file)) !== record.digest : !same) return `${DISK_FILE} has changed`;
  return record;
}

/** Returns the disk; writes it when it is absent or damaged. */
export async function ensureDisk(
  recipe: ImageRecipe,
  context: BuildContext & Verification,
  write: WriteDisk,
): Promise<DiskRecord> {
  const found = await openDisk(recipe, context);
  if (typeof found !== "string") return found;
  const name = imageName(recipe);
  const folder = path.join(imagesFolder(), name);
  return replaceFolder(folder, name, found, context, async (partial) => {
    await fs.mkdir(partial, { recursive: true });
    const file = path.join(partial, DISK_FILE);
    const createdFrom = await write(file);
    context.progress({ phase: name, message: "computing its checksum" });
    const { size, mtimeMs } = await fs.stat(file);
    const measured = { digest: await digestOf(file), sizeBytes: size, modified: Math.trunc(mtimeMs) };
    const record: DiskRecord = { name, form: "disk", ...measured, recipe, createdFrom };
    await writeJson(path.join(partial, "image.json"), record, 0o644);
    return record;
  });
}

const digestOf = async (file: string): Promise<string> => `sha256:${await digestFile(file)}`;
