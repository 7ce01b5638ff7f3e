import { createHash } from "node:crypto";
import * as path from "node:path";
import type { Host } from "../../model/host";
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
  host: Host,
  recipe: ImageRecipe,
  parts: ImageParts,
  { full = false }: Verification,
): Promise<ImageRecord | string> {
  const folder = path.join(host.folders.images(), imageName(recipe));
  const record = await host.files.readJson<ImageRecord>(path.join(folder, "image.json")).catch(() => undefined);
  if (!record) return (await host.files.exists(folder)) ? "its record is damaged" : "absent";
  const seal = await storeSeal(host, folder, recipe);
  if (typeof seal === "string") return seal;
  if (record.digest !== digestOf(parts)) return "its parts have changed";
  return (seal && (await findDifference(host, path.join(folder, "containerd"), seal, full))) ?? record;
}

/** Returns the image; builds it from its parts when it is absent or damaged. */
export async function ensureImage(
  recipe: ImageRecipe,
  parts: ImageParts,
  context: BuildContext & Verification,
): Promise<ImageRecord> {
  const found = await openImage(context.host, recipe, parts, context);
  if (typeof found !== "string") return found;
  const name = imageName(recipe);
  const folder = path.join(context.host.folders.images(), name);
  return replaceFolder(folder, name, found, context, (partial) => assemble(recipe, parts, partial, context));
}

async function assemble(
  recipe: ImageRecipe,
  parts: ImageParts,
  folder: string,
  context: BuildContext,
): Promise<ImageRecord> {
  const { files, trees } = context.host;
  await trees.createFolder(folder);
  await trees.createFolder(path.join(folder, "layers"));
  for (const layer of parts.layers) {
    const at = path.join(folder, "layers", layer.name);
    await trees.link(path.relative(path.dirname(at), layer.folder.content), at);
  }
  if (recipe.kubernetes) await addContainerdStore(recipe.kubernetes, parts, folder, context);
  const record: ImageRecord = {
    name: imageName(recipe),
    digest: digestOf(parts),
    recipe,
    layers: parts.layers.map((layer) => layer.name),
    createdFrom: originsOf(parts),
  };
  await files.writeJson(path.join(folder, "image.json"), record, 0o644);
  return record;
}

async function addContainerdStore(
  recipe: KubernetesRecipe,
  parts: ImageParts,
  folder: string,
  context: BuildContext,
): Promise<void> {
  const store = path.join(folder, "containerd");
  await context.host.trees.createFolder(store, 0o711);
  const base = parts.layers.find((layer) => layer.name === "base");
  if (!base) throw new Error("an image without a root tree cannot run containerd");
  const sources = { programs: (part: string) => contentOf(parts, part), tree: base.folder.content };
  await buildContainerdStore(recipe, sources, store, context);
  const manifest = await readManifest(context.host, store, context.signal);
  await context.host.files.writeAtomic(path.join(folder, "containerd.seal.json"), JSON.stringify(manifest));
}

function contentOf(parts: ImageParts, part: string): string {
  const folder = parts.programs.get(part);
  if (!folder) throw new Error(`the image's recipe names no part ${part}`);
  return folder.content;
}

async function storeSeal({ files }: Host, folder: string, recipe: ImageRecipe): Promise<Manifest | string | undefined> {
  if (!recipe.kubernetes) return undefined;
  const seal = await files.readJson<Manifest>(path.join(folder, "containerd.seal.json")).catch(() => undefined);
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
