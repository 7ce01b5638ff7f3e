import * as fs from "node:fs/promises";
import * as path from "node:path";
import { dataFolder, imagesFolder, partsFolder } from "../provider/host/data-folder";
import { withFileLock } from "../provider/host/file-lock";
import { buildContainerLayer } from "./build/container-layer";
import { ensureImage, type ImageParts, type ImageRecord, type LayerName } from "./build/image";
import { buildKubernetesLayer } from "./build/kubernetes-layer";
import { imageName, imageRecipes, recipeHash } from "./image-names";
import { allSources } from "./parts/choose-source";
import type { Part, PartSource } from "./parts/part-source";
import { ensurePart } from "./parts/part-store";
import { kubernetesVersions } from "./recipes/kubernetes";
import type { ImageRecipe, LayerRecipe } from "./recipes/recipe";
import { removeDiscarded } from "./store/discard";
import type { BuildContext, OnProgress } from "./store/progress";
import { ensureSealed, type SealedFolder } from "./store/sealed-folder";

export interface EnsureImagesOptions {
  /** Names of images, see `imageFor`; default: all trees of every known Kubernetes. */
  readonly names?: readonly string[];
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Reads every byte of what is there instead of comparing sizes and times. */
  readonly verify?: boolean;
  /** Where parts come from, in order of preference; default: whatever is usable. */
  readonly sources?: readonly PartSource[];
  /** Recipes to look the names up in; default: those of every known Kubernetes. */
  readonly recipes?: readonly ImageRecipe[];
}

/** A build of everything takes half an hour; somebody else's is waited for. */
const LOCK_TIMEOUT_MS = 60 * 60 * 1000;

/**
 * Builds the images that are absent, and anew those that are damaged. Every step keeps its result, so that a build that
 * was killed goes on where it was. Safe to be called by several processes at once.
 *
 * @throws UserError when there is no source for a part, no network, no room, or a build fails; finished steps stay, a
 * half image never does
 */
export async function ensureImages(options: EnsureImagesOptions = {}): Promise<readonly ImageRecord[]> {
  const recipes = wantedRecipes(options);
  const context = {
    progress: options.progress ?? (() => {}),
    signal: options.signal,
    full: options.verify,
  };
  await fs.mkdir(imagesFolder(), { recursive: true });
  const build = async (): Promise<readonly ImageRecord[]> => {
    await removeDiscarded();
    const records = [];
    for (const recipe of recipes) records.push(await ensureOne(recipe, options.sources ?? allSources(), context));
    return records;
  };
  return withFileLock(path.join(dataFolder(), "build-images"), build, { timeoutMs: LOCK_TIMEOUT_MS });
}

async function ensureOne(
  recipe: ImageRecipe,
  sources: readonly PartSource[],
  context: BuildContext & { readonly full?: boolean },
): Promise<ImageRecord> {
  const part = (wanted: Part): Promise<SealedFolder> => ensurePart(wanted, sources, context);
  const base = await part({ kind: "root-tree", recipe: recipe.rootTree });
  const { container: containerRecipe, kubernetes } = recipe;
  if (!containerRecipe) throw new Error("disks are not built yet");
  const container = await ensureLayer("container", containerRecipe, "", context, (target) =>
    buildContainerLayer(containerRecipe, target),
  );
  const programs = new Map<string, SealedFolder>();
  for (const each of kubernetes?.parts ?? []) programs.set(each.name, await part({ kind: "programs", recipe: each }));
  const layers: { name: LayerName; folder: SealedFolder }[] = [{ name: "container", folder: container }];
  if (kubernetes) {
    const programFolder = (name: string): string => programs.get(name)?.content ?? "";
    // Links to the programs, so it is another layer when they are others.
    const made = [...programs.values()].map((folder) => folder.digest).join();
    const build = (target: string) => buildKubernetesLayer(kubernetes, programFolder, target);
    layers.push({ name: "kubernetes", folder: await ensureLayer("kubernetes", kubernetes, made, context, build) });
  }
  layers.push({ name: "base", folder: base });
  const parts: ImageParts = { layers, programs };
  return ensureImage(recipe, parts, context);
}

async function ensureLayer(
  name: LayerName,
  recipe: LayerRecipe | ImageRecipe["kubernetes"],
  madeFrom: string,
  context: BuildContext & { readonly full?: boolean },
  build: (target: string) => Promise<void>,
): Promise<SealedFolder> {
  const folder = path.join(partsFolder(), `${name}-layer-${recipeHash([recipe, madeFrom])}`);
  return ensureSealed(folder, `${name} layer`, context, async (target) => {
    await build(target);
    return "this version of groundplane";
  });
}

function wantedRecipes({
  names,
  recipes = kubernetesVersions.flatMap((version) => imageRecipes(version, "tree")),
}: EnsureImagesOptions): readonly ImageRecipe[] {
  if (!names) return recipes;
  return names.map((name) => {
    const recipe = recipes.find((each) => imageName(each) === name);
    if (!recipe) throw new Error(`no recipe makes an image called ${name}`);
    return recipe;
  });
}
