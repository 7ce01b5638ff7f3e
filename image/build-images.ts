import * as fs from "node:fs/promises";
import * as path from "node:path";
import { dataFolder, imagesFolder, partsFolder } from "../host/data-folder";
import { withFileLock } from "../host/file-lock";
import { type DistributionName, distributions } from "../model/distributions";
import type { ImageForm } from "../model/drivers";
import { kubernetesVersions } from "../model/releases";
import { UserError } from "../model/user-error";
import { ensureContainerdStore } from "./build/containerd-store";
import { buildDiskImage } from "./build/disk-image";
import { buildDiskLayer } from "./build/disk-layer";
import { ensureImage, type ImageParts, type ImageRecord, type LayerName } from "./build/image";
import { buildContainerLayer, buildKubernetesLayer } from "./build/layer";
import { type DiskRecord, ensureDisk, openDisk } from "./build/sealed-disk";
import { buildInNamespace, buildingProblem, isOrdinaryUser } from "./build-in-namespace";
import { allSources, ensurePart } from "./parts/ensure-part";
import type { Part, PartSource } from "./parts/part";
import { imageName, imageRecipes, recipeHash } from "./recipes/image-names";
import type { ImageRecipe } from "./recipes/recipe";
import type { BuildContext, OnProgress } from "./store/build-context";
import { removeDiscarded } from "./store/replace-folder";
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
 * was killed goes on where it was. Safe to be called by several processes at once. An ordinary user builds as root of a
 * user namespace.
 *
 * @throws UserError when there is no source for a part, no network, no room, or a build fails; finished steps stay, a
 * half image never does
 */
export async function ensureImages(options: EnsureImagesOptions = {}): Promise<readonly (ImageRecord | DiskRecord)[]> {
  const recipes = wantedRecipes(options);
  const { progress = () => {}, signal, verify, sources } = options;
  if (sources || !isOrdinaryUser())
    return buildHere(recipes, sources ?? allSources(), { progress, signal, full: verify });
  const present = await presentDisks(recipes, verify);
  if (present) return present;
  const cannotBuild = await buildingProblem();
  if (cannotBuild) return buildHere(recipes, allSources(), { progress, signal, full: verify, cannotBuild });
  const records = await buildInNamespace({ kind: "images", recipes, verify }, { progress, signal });
  return records as readonly (ImageRecord | DiskRecord)[];
}

async function buildHere(
  recipes: readonly ImageRecipe[],
  sources: readonly PartSource[],
  context: EnsureContext,
): Promise<readonly (ImageRecord | DiskRecord)[]> {
  await fs.mkdir(imagesFolder(), { recursive: true });
  const build = async (): Promise<readonly (ImageRecord | DiskRecord)[]> => {
    await removeDiscarded();
    const records = [];
    for (const recipe of recipes) records.push(await ensureOne(recipe, sources, context));
    return records;
  };
  return withFileLock(path.join(dataFolder(), "build-images"), build, { timeoutMs: LOCK_TIMEOUT_MS });
}

/** All of them, where they are disks and there is nothing to be done. */
async function presentDisks(
  recipes: readonly ImageRecipe[],
  full: boolean | undefined,
): Promise<readonly DiskRecord[] | undefined> {
  if (!recipes.every(({ disk }) => disk)) return undefined;
  const found = await Promise.all(recipes.map((recipe) => openDisk(recipe, { full })));
  return found.every((each) => typeof each !== "string") ? found : undefined;
}

type EnsureContext = BuildContext & {
  readonly full?: boolean;
  /** Why nothing can be built here; what a bundle has ready can still be taken. */
  readonly cannotBuild?: UserError;
};
type MakePart = (wanted: Part) => Promise<SealedFolder>;

async function ensureOne(
  recipe: ImageRecipe,
  sources: readonly PartSource[],
  context: EnsureContext,
): Promise<ImageRecord | DiskRecord> {
  const part: MakePart = (wanted) => ensurePart(wanted, sources, context);
  if (!recipe.disk && context.cannotBuild) throw context.cannotBuild;
  if (!recipe.disk) return ensureImage(recipe, await treeParts(recipe, part, context), context);
  const finished: Part = { kind: "disk", recipe };
  return ensureDisk(recipe, context, async (target) => {
    for (const source of sources.filter((each) => each.provides(finished))) {
      if (!(await source.available(finished)).usable) continue;
      return { disk: await source.fetch(finished, path.dirname(target), context) };
    }
    if (process.platform !== "linux") throw needsLinux(recipe);
    if (context.cannotBuild) throw context.cannotBuild;
    return writeDisk(recipe, part, target, context);
  });
}

const needsLinux = (recipe: ImageRecipe): UserError =>
  new UserError(
    "image-needs-linux",
    `${imageName(recipe)} can only be built on Linux`,
    "pack the images on a Linux machine with `npx groundplane bundle create FILE`, and `bundle load FILE` here",
  );

async function treeParts(recipe: ImageRecipe, part: MakePart, context: EnsureContext): Promise<ImageParts> {
  const base = await part({ kind: "root-tree", recipe: recipe.rootTree });
  const { container } = recipe;
  if (!container) throw new Error(`nothing says what containers of ${recipe.name} need`);
  const top = await ensureLayer("container", container, "", context, (target) =>
    buildContainerLayer(container, target),
  );
  const { programs, layers } = await kubernetesParts(recipe, part, context);
  return { layers: [{ name: "container", folder: top }, ...layers, { name: "base", folder: base }], programs };
}

/** A disk has what the tree of the same recipe has, and its own layer instead of the containers'. */
async function writeDisk(recipe: ImageRecipe, part: MakePart, target: string, context: EnsureContext) {
  const { disk, rootTree, kubernetes } = recipe;
  if (!disk) throw new Error(`nothing says what the disk of ${recipe.name} is`);
  const base = await part({ kind: "root-tree", recipe: rootTree });
  const top = await ensureLayer("disk", { disk, suite: rootTree.suite }, base.digest, context, (content) =>
    buildDiskLayer(disk, rootTree, base.content, content, context),
  );
  const { programs, layers } = await kubernetesParts(recipe, part, context);
  const folders = [top, ...layers.map(({ folder }) => folder), base].map(({ content }) => content);
  const store = kubernetes && (await ensureContainerdStore(kubernetes, base, programs, context));
  await buildDiskImage(recipe.name, disk, { layers: folders, store }, target, context);
  return Object.fromEntries([["base", base.origin], ...[...programs].map(([name, { origin }]) => [name, origin])]);
}

async function kubernetesParts(
  { kubernetes }: Pick<ImageRecipe, "kubernetes">,
  part: MakePart,
  context: EnsureContext,
): Promise<Pick<ImageParts, "layers" | "programs">> {
  const programs = new Map<string, SealedFolder>();
  if (!kubernetes) return { layers: [], programs };
  for (const each of kubernetes.parts) programs.set(each.name, await part({ kind: "programs", recipe: each }));
  const programFolder = (name: string): string => programs.get(name)?.content ?? "";
  // Links to the programs, so it is another layer when they are others.
  const made = [...programs.values()].map((folder) => folder.digest).join();
  const build = (target: string) => buildKubernetesLayer(kubernetes, programFolder, target);
  return {
    layers: [{ name: "kubernetes", folder: await ensureLayer("kubernetes", kubernetes, made, context, build) }],
    programs,
  };
}

/** Where a layer lies that is made by `recipe` from parts with this digest. */
export const layerFolder = (name: LayerName | "disk", recipe: unknown, madeFrom: string): string =>
  path.join(partsFolder(), `${name}-layer-${recipeHash([recipe, madeFrom])}`);

async function ensureLayer(
  name: LayerName | "disk",
  recipe: unknown,
  madeFrom: string,
  context: EnsureContext,
  build: (target: string) => Promise<void>,
): Promise<SealedFolder> {
  return ensureSealed(layerFolder(name, recipe, madeFrom), `${name} layer`, context, async (target) => {
    await build(target);
    return "this version of groundplane";
  });
}

function wantedRecipes({ names, recipes }: EnsureImagesOptions): readonly ImageRecipe[] {
  const known = (form: ImageForm, distribution?: DistributionName) =>
    kubernetesVersions.flatMap((version) => imageRecipes(version, form, distribution));
  if (!names) return recipes ?? known("tree");
  const candidates = recipes ?? distributions.flatMap((each) => [...known("tree", each), ...known("disk", each)]);
  return names.map((name) => {
    const recipe = candidates.find((each) => imageName(each) === name);
    if (!recipe) throw new Error(`no recipe makes an image called ${name}`);
    return recipe;
  });
}
