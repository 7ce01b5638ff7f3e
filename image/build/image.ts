import { createHash } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { imagesFolder } from "../../host/data-folder";
import { exists, readJson, writeFileAtomic, writeJson } from "../../host/file-store";
import { imageName } from "../recipes/image-names";
import type { ImageRecipe, KubernetesRecipe } from "../recipes/recipe";
import type { BuildContext } from "../store/build-context";
import { findDifference, type Manifest, readManifest } from "../store/manifest";
import { replaceFolder } from "../store/replace-folder";
import type { SealedFolder, Verification } from "../store/sealed-folder";
import { buildContainerdStore } from "./containerd-store";

export type LayerName = "container" | "kubernetes" | "base";

/** `image.json`, the last file of a sealed image. */
export interface ImageRecord {
  readonly name: string;
  /**
   * sha256 over the digests of all layers and programs. The containerd store is built from these and adds nothing; its
   * databases differ in each build.
   */
  readonly digest: string;
  readonly recipe: ImageRecipe;
  /** From top to bottom. */
  readonly layers: readonly LayerName[];
  /** By part: where it came from. */
  readonly createdFrom: Readonly<Record<string, string>>;
}

export interface ImageParts {
  /** From top to bottom. */
  readonly layers: readonly { readonly name: LayerName; readonly folder: SealedFolder }[];
  /** Folder of a part's programs, and where they came from. */
  readonly programs: ReadonlyMap<string, SealedFolder>;
}

/** The image, when it is complete and consists of exactly these parts; otherwise the reason in words, or `absent`. */
export async function openImage(
  recipe: ImageRecipe,
  parts: ImageParts,
  { full = false }: Verification,
): Promise<ImageRecord | string> {
  const folder = path.join(imagesFolder(), imageName(recipe));
  const record = await readJson<ImageRecord>(path.join(folder, "image.json")).catch(() => undefined);
  if (!record) return (await exists(folder)) ? "its record is damaged" : "absent";
  const seal = await storeSeal(folder, recipe);
  if (typeof seal === "string") return seal;
  if (record.digest !== digestOf(parts)) return "its parts have changed";
  return (seal && (await findDifference(path.join(folder, "containerd"), seal, full))) ?? record;
}

/** Returns the image; builds it from its parts when it is absent or damaged. */
export async function ensureImage(
  recipe: ImageRecipe,
  parts: ImageParts,
  context: BuildContext & Verification,
): Promise<ImageRecord> {
  const found = await openImage(recipe, parts, context);
  if (typeof found !== "string") return found;
  const name = imageName(recipe);
  const folder = path.join(imagesFolder(), name);
  return replaceFolder(folder, name, found, context, (partial) => assemble(recipe, parts, partial, context));
}

async function assemble(
  recipe: ImageRecipe,
  parts: ImageParts,
  folder: string,
  context: BuildContext,
): Promise<ImageRecord> {
  await fs.mkdir(path.join(folder, "layers"), { recursive: true });
  for (const layer of parts.layers) {
    const at = path.join(folder, "layers", layer.name);
    await fs.symlink(path.relative(path.dirname(at), layer.folder.content), at);
  }
  if (recipe.kubernetes) await addContainerdStore(recipe.kubernetes, parts, folder, context);
  const record: ImageRecord = {
    name: imageName(recipe),
    digest: digestOf(parts),
    recipe,
    layers: parts.layers.map((layer) => layer.name),
    createdFrom: originsOf(parts),
  };
  await writeJson(path.join(folder, "image.json"), record, 0o644);
  return record;
}

async function addContainerdStore(
  recipe: KubernetesRecipe,
  parts: ImageParts,
  folder: string,
  context: BuildContext,
): Promise<void> {
  const store = path.join(folder, "containerd");
  await fs.mkdir(store, { mode: 0o711 });
  const base = parts.layers.find((layer) => layer.name === "base");
  if (!base) throw new Error("an image without a root tree cannot run containerd");
  const sources = { programs: (part: string) => contentOf(parts, part), tree: base.folder.content };
  await buildContainerdStore(recipe.containerImages, sources, store, context);
  const manifest = await readManifest(store, context.signal);
  await writeFileAtomic(path.join(folder, "containerd.seal.json"), JSON.stringify(manifest));
}

function contentOf(parts: ImageParts, part: string): string {
  const folder = parts.programs.get(part);
  if (!folder) throw new Error(`the image's recipe names no part ${part}`);
  return folder.content;
}

async function storeSeal(folder: string, recipe: ImageRecipe): Promise<Manifest | string | undefined> {
  if (!recipe.kubernetes) return undefined;
  const seal = await readJson<Manifest>(path.join(folder, "containerd.seal.json")).catch(() => undefined);
  return seal ?? "the seal of its containerd store is damaged";
}

function digestOf(parts: ImageParts): string {
  const digests = [...parts.layers.map((layer) => layer.folder), ...parts.programs.values()].map(
    ({ digest }) => digest,
  );
  return createHash("sha256").update(JSON.stringify(digests)).digest("hex");
}

function originsOf(parts: ImageParts): Record<string, string> {
  const base = parts.layers
    .filter((layer) => layer.name === "base")
    .map((layer) => [layer.name, layer.folder] as const);
  return Object.fromEntries([...base, ...parts.programs].map(([name, folder]) => [name, folder.origin]));
}
