import * as path from "node:path";
import type { Host } from "../../model/host";
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
export async function openDisk(
  host: Host,
  recipe: ImageRecipe,
  { full = false }: Verification,
): Promise<DiskRecord | string> {
  const folder = path.join(host.folders.images(), imageName(recipe));
  const record = await host.files.readJson<DiskRecord>(path.join(folder, "image.json")).catch(() => undefined);
  if (!record) return (await host.files.exists(folder)) ? "its record is damaged" : "absent";
  const file = path.join(folder, DISK_FILE);
  const found = await host.files.stamp(file);
  if (!found) return `${DISK_FILE} is missing`;
  const same = found.bytes === record.sizeBytes && found.modified === record.modified;
  if (full ? (await digestOf(host, file)) !== record.digest : !same) return `${DISK_FILE} has changed`;
  return record;
}

/** Returns the disk; writes it when it is absent or damaged. */
export async function ensureDisk(
  recipe: ImageRecipe,
  context: BuildContext & Verification,
  write: WriteDisk,
): Promise<DiskRecord> {
  const { host } = context;
  const found = await openDisk(host, recipe, context);
  if (typeof found !== "string") return found;
  const name = imageName(recipe);
  const folder = path.join(host.folders.images(), name);
  return replaceFolder(folder, name, found, context, async (partial) => {
    await host.trees.createFolder(partial);
    const file = path.join(partial, DISK_FILE);
    const createdFrom = await write(file);
    context.progress({ phase: name, message: "computing its checksum" });
    const stamp = await host.files.stamp(file);
    if (!stamp) throw new Error(`${file} was not written`);
    const measured = { digest: await digestOf(host, file), sizeBytes: stamp.bytes, modified: stamp.modified };
    const record: DiskRecord = { name, form: "disk", ...measured, recipe, createdFrom };
    await host.files.writeJson(path.join(partial, "image.json"), record, 0o644);
    return record;
  });
}

const digestOf = async ({ files }: Host, file: string): Promise<string> => `sha256:${await files.digest(file)}`;
