import * as path from "node:path";
import type { Host } from "../model/host";
import type { PackageLock } from "../model/package-lock";
import type { StoredItem } from "../model/stored-item";
import { storeFolder } from "./build/containerd-store";
import { layerFolder } from "./build-images";
import { partName } from "./parts/part";
import { allAddOnRecipes, archiveName } from "./recipes/add-ons";
import { allImageRecipes, imageName, lockedImageRecipes } from "./recipes/image-names";
import { programsOf } from "./recipes/kubernetes";
import type { ImageRecipe, ProgramsRecipe } from "./recipes/recipe";
import { sealedDigest } from "./store/sealed-folder";

/** What uses something, by its name. */
export type Users = ReadonlyMap<string, readonly string[]>;

const RECIPES = "the recipes of this checkout";
const DOWNLOADS = "downloads";
const MOUNT = "a mount of a running machine";

/** Archives of programs for this host, which are in the same folder until they are unpacked. */
export const isToolArchive = (name: string): boolean => /^(?:go|pulumi)-v/.test(name);

/**
 * Every image and part, and what uses it. Call it under `buildLock`: what looks incomplete belongs to a running build otherwise.
 * @param users of images: states and machines
 * @param locks package locks of this checkout by stack
 */
export async function storedImages(
  host: Host,
  users: Users,
  locks: ReadonlyMap<string, PackageLock> = new Map(),
): Promise<readonly StoredItem[]> {
  const { folders } = host;
  const recipes: readonly KnownRecipes[] = [
    { user: RECIPES, recipes: allImageRecipes() },
    ...[...locks].map(([stack, lock]) => ({
      user: `the package lock of ${stack}`,
      recipes: lockedImageRecipes(lock),
    })),
  ];
  const ofRecipes = recipes.map((known) => usersOf(known, (recipe) => [imageName(recipe)]));
  const all = (await Promise.all(ofRecipes)).reduce(added, users);
  const mounts = await mountedTexts(host);
  const inUse = (name: string, known: Users): readonly string[] => [
    ...(known.get(name) ?? []),
    ...(mounts.some((text) => text.includes(`/${name}/`)) ? [MOUNT] : []),
  ];
  const images = (await host.files.list(folders.images())).map((name) =>
    item("image", path.join(folders.images(), name), inUse(name, all)),
  );
  const digestOf = digests(host);
  const partsOf = recipes.map((known) => usersOf(known, (recipe) => partsOfRecipe(host, recipe, digestOf)));
  const ofParts = [...(await Promise.all(partsOf)), addOnParts()].reduce(added, await partsOfImages(host, images));
  const names = (await host.files.list(folders.parts())).filter((name) => !isToolArchive(name));
  // A finished build leaves the folder empty.
  const hasDownloads = (await host.files.list(path.join(folders.parts(), DOWNLOADS))).length > 0;
  return [
    ...images,
    ...names
      .filter((name) => name !== DOWNLOADS || hasDownloads)
      .map((name) =>
        item(name === DOWNLOADS ? "download" : "part", path.join(folders.parts(), name), inUse(name, ofParts)),
      ),
  ];
}

function item(kind: StoredItem["kind"], file: string, users: readonly string[]): StoredItem {
  const name = path.basename(file);
  if (name.endsWith(".partial") || kind === "download")
    return { kind, path: file, users, reason: "an interrupted build left it" };
  if (name.includes(".discarded-"))
    return { kind, path: file, users, reason: "it was replaced or its removal was interrupted" };
  const reason =
    kind === "image"
      ? "no recipe and no package lock of this checkout, no state and no machine names it"
      : "no recipe and no package lock of this checkout, and no image in use has it";
  return { kind, path: file, users, reason };
}

/** The parts that the layers of used images are links to. */
async function partsOfImages(host: Host, images: readonly StoredItem[]): Promise<Users> {
  const found = new Map<string, string[]>();
  for (const { path: folder, users } of images) {
    if (users.length === 0) continue;
    const layers = path.join(folder, "layers");
    for (const { kind, target } of await entriesIfPresent(host, layers)) {
      if (kind !== "link" || target === undefined) continue;
      const part = path.relative(host.folders.parts(), path.resolve(layers, target)).split(path.sep)[0] ?? "";
      found.set(part, [...(found.get(part) ?? []), `image ${path.basename(folder)}`]);
    }
  }
  return found;
}

const entriesIfPresent = async (host: Host, folder: string) =>
  (await host.files.exists(folder))
    ? Promise.all((await host.files.list(folder)).map((name) => host.trees.entry(path.join(folder, name)))).then(
        (entries) => entries.filter((entry) => entry !== undefined),
      )
    : [];

interface KnownRecipes {
  readonly user: string;
  readonly recipes: readonly ImageRecipe[];
}

/** What recipes need, by name. */
async function usersOf(
  { user, recipes }: KnownRecipes,
  namesOf: (recipe: ImageRecipe) => readonly string[] | Promise<readonly string[]>,
): Promise<Users> {
  const names = (await Promise.all(recipes.map(namesOf))).flat();
  return new Map(names.map((name) => [name, [user]]));
}

/** Archives of add-ons and their programs, of every release. */
const addOnParts = (): Users =>
  new Map(
    allAddOnRecipes()
      .flatMap((recipe) => [archiveName(recipe), partName({ kind: "programs", recipe: recipe.programs })])
      .map((name) => [name, [RECIPES]]),
  );

type DigestOf = (part: string) => Promise<string | undefined>;

/** Reads each seal once. */
function digests(host: Host): DigestOf {
  const read = new Map<string, Promise<string | undefined>>();
  return (name) => {
    const digest = read.get(name) ?? sealedDigest(host, path.join(host.folders.parts(), name));
    read.set(name, digest);
    return digest;
  };
}

/** The parts that a build would use. The names of layers depend on the digests of the parts below them. */
async function partsOfRecipe(host: Host, recipe: ImageRecipe, digestOf: DigestOf): Promise<readonly string[]> {
  const { rootTree, kubernetes, container, disk } = recipe;
  const base = partName({ kind: "root-tree", recipe: rootTree });
  const nameOf = (part: ProgramsRecipe): string => partName({ kind: "programs", recipe: part });
  const programs = (kubernetes?.parts ?? []).map(nameOf);
  // No layer has them.
  const others = kubernetes ? programsOf(kubernetes).map(nameOf) : [];
  const baseDigest = await digestOf(base);
  const programDigests = await Promise.all(programs.map(digestOf));
  const made = programDigests.filter((digest) => digest !== undefined);
  const isComplete = made.length === programs.length;
  const layers = [
    ...(container ? [layerFolder(host, "container", container, "")] : []),
    ...(kubernetes && isComplete ? [layerFolder(host, "kubernetes", kubernetes, made.join())] : []),
    ...(disk && baseDigest ? [layerFolder(host, "disk", { disk, suite: rootTree.suite }, baseDigest)] : []),
    ...(disk && kubernetes && baseDigest && isComplete ? [storeFolder(host, kubernetes, [baseDigest, ...made])] : []),
  ];
  return [base, ...programs, ...others, ...layers.map((folder) => path.basename(folder))];
}

function added(one: Users, other: Users): Users {
  const names = new Set([...one.keys(), ...other.keys()]);
  return new Map([...names].map((name) => [name, [...(one.get(name) ?? []), ...(other.get(name) ?? [])]]));
}

/**
 * The mounts of every process, in any mount namespace. A machine has its image there under the path of its data folder, which may
 * be a link to this one: names of images and parts identify them.
 */
async function mountedTexts({ kernel }: Host): Promise<readonly string[]> {
  const texts = new Set<string>();
  for (const pid of await kernel.listFolders("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    // A process may end while the list is read, or belong to another user.
    const mounts = await kernel.read(`/proc/${pid}/mountinfo`).catch(() => undefined);
    if (mounts) texts.add(mounts);
  }
  return [...texts];
}
