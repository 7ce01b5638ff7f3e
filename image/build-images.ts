import * as path from "node:path";
import type { Host } from "../model/host";
import { defaultKubernetesVersion } from "../model/releases";
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
import { allImageRecipes, imageName, imageRecipes, recipeHash } from "./recipes/image-names";
import type { ImageRecipe } from "./recipes/recipe";
import type { BuildContext, OnProgress } from "./store/build-context";
import { removeDiscarded } from "./store/replace-folder";
import { ensureSealed, type SealedFolder } from "./store/sealed-folder";

export interface EnsureImagesOptions {
  /** Names of images, see `imageFor`; default: the trees of the default release. */
  readonly names?: readonly string[];
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Reads every byte of existing images instead of comparing sizes and times. */
  readonly verify?: boolean;
  /** Where parts come from, in order of preference; default: all usable sources. */
  readonly sources?: readonly PartSource[];
  /** Recipes to look the names up in; default: those of every release. */
  readonly recipes?: readonly ImageRecipe[];
}

/** A build of everything takes half an hour; that of another process is waited for. */
export const LOCK_TIMEOUT_MS = 60 * 60 * 1000;

/**
 * Builds the images that are absent or damaged. Every step keeps its result, so that a build that was killed continues
 * where it stopped. Several processes may call it at once. An ordinary user builds as root of a user namespace.
 *
 * @throws UserError when there is no source for a part, no network, no space, or a build fails; finished steps stay, an
 * incomplete image never does
 */
export async function ensureImages(
  host: Host,
  options: EnsureImagesOptions = {},
): Promise<readonly (ImageRecord | DiskRecord)[]> {
  const recipes = wantedRecipes(options);
  const { progress = () => {}, signal, verify, sources } = options;
  const context = { host, progress, signal };
  if (sources || !isOrdinaryUser(host))
    return buildHere(recipes, sources ?? allSources(host), { ...context, full: verify });
  const present = await presentDisks(host, recipes, verify);
  if (present) return present;
  const cannotBuild = await buildingProblem(host);
  if (cannotBuild) return buildHere(recipes, allSources(host), { ...context, full: verify, cannotBuild });
  const records = await buildInNamespace({ kind: "images", recipes, verify }, context);
  return records as readonly (ImageRecord | DiskRecord)[];
}

async function buildHere(
  recipes: readonly ImageRecipe[],
  sources: readonly PartSource[],
  context: EnsureContext,
): Promise<readonly (ImageRecord | DiskRecord)[]> {
  const { folders, locks, trees } = context.host;
  await trees.createFolder(folders.images());
  const build = async (): Promise<readonly (ImageRecord | DiskRecord)[]> => {
    await removeDiscarded(context.host);
    const records = [];
    for (const recipe of recipes) records.push(await ensureOne(recipe, sources, context));
    return records;
  };
  const file = buildLock(context.host);
  const message = `another process builds images (it holds ${file}.lock); waiting until it has finished`;
  const onWait = (): void => context.progress({ phase: "images", message });
  return locks.withLock(file, build, { timeoutMs: LOCK_TIMEOUT_MS, onWait });
}

/** Held by every process that changes images or parts. */
export const buildLock = ({ folders }: Host): string => path.join(folders.data(), "build-images");

/** All images, where they are disks and none has to be built. */
async function presentDisks(
  host: Host,
  recipes: readonly ImageRecipe[],
  full: boolean | undefined,
): Promise<readonly DiskRecord[] | undefined> {
  if (!recipes.every(({ disk }) => disk)) return undefined;
  const found = await Promise.all(recipes.map((recipe) => openDisk(host, recipe, { full })));
  return found.every((each) => typeof each !== "string") ? found : undefined;
}

type EnsureContext = BuildContext & {
  readonly full?: boolean;
  /** Why nothing can be built here; finished disks of a bundle can still be used. */
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
    if (context.host.facts.platform !== "linux") throw needsLinux(recipe);
    if (context.cannotBuild) throw context.cannotBuild;
    return writeDisk(recipe, part, target, context);
  });
}

function needsLinux(recipe: ImageRecipe): UserError {
  const { version = defaultKubernetesVersion } = recipe.kubernetes ?? {};
  const release = version === defaultKubernetesVersion ? "" : ` --kubernetes ${version}`;
  return new UserError(
    "image-needs-linux",
    `${imageName(recipe)} can only be built on Linux`,
    `pack the images on a Linux machine with \`npx groundplane bundle create FILE --form disk${release}\`, and \`bundle load FILE\` here`,
  );
}

async function treeParts(recipe: ImageRecipe, part: MakePart, context: EnsureContext): Promise<ImageParts> {
  const base = await part({ kind: "root-tree", recipe: recipe.rootTree });
  const { container } = recipe;
  if (!container) throw new Error(`the recipe of ${recipe.name} has no layer for containers`);
  const top = await ensureLayer("container", container, "", context, (target) =>
    buildContainerLayer(context.host, container, target),
  );
  const { programs, layers } = await kubernetesParts(recipe, part, context);
  return { layers: [{ name: "container", folder: top }, ...layers, { name: "base", folder: base }], programs };
}

/** A disk has the content of the tree of the same recipe, with the disk layer instead of the container layer. */
async function writeDisk(recipe: ImageRecipe, part: MakePart, target: string, context: EnsureContext) {
  const { disk, rootTree, kubernetes } = recipe;
  if (!disk) throw new Error(`the recipe of ${recipe.name} has no disk`);
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
  // The layer contains links to the programs, so other programs make another layer.
  const made = [...programs.values()].map((folder) => folder.digest).join();
  const build = (target: string) => buildKubernetesLayer(context.host, kubernetes, programFolder, target);
  return {
    layers: [{ name: "kubernetes", folder: await ensureLayer("kubernetes", kubernetes, made, context, build) }],
    programs,
  };
}

/** The folder of a layer that is built by `recipe` from parts with this digest. */
export const layerFolder = ({ folders }: Host, name: LayerName | "disk", recipe: unknown, madeFrom: string): string =>
  path.join(folders.parts(), `${name}-layer-${recipeHash([recipe, madeFrom])}`);

async function ensureLayer(
  name: LayerName | "disk",
  recipe: unknown,
  madeFrom: string,
  context: EnsureContext,
  build: (target: string) => Promise<void>,
): Promise<SealedFolder> {
  const folder = layerFolder(context.host, name, recipe, madeFrom);
  return ensureSealed(folder, `${name} layer`, context, async (target) => {
    await build(target);
    return "this version of groundplane";
  });
}

function wantedRecipes({ names, recipes }: EnsureImagesOptions): readonly ImageRecipe[] {
  if (!names) return recipes ?? imageRecipes(defaultKubernetesVersion, "tree");
  const candidates = recipes ?? allImageRecipes();
  return names.map((name) => {
    const recipe = candidates.find((each) => imageName(each) === name);
    if (!recipe) throw new Error(`no recipe makes an image called ${name}`);
    return recipe;
  });
}
