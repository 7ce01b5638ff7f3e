import * as path from "node:path";
import type { AddOnName } from "../model/add-ons";
import type { ContainerRuntimeName } from "../model/container-runtimes";
import type { DistributionName } from "../model/distributions";
import { type DriverName, drivers } from "../model/drivers";
import type { Host } from "../model/host";
import { type HostFinding, ok, warning } from "../model/host-finding";
import type { PackageLock } from "../model/package-lock";
import { UserError } from "../model/user-error";
import { buildingProblem, isOrdinaryUser } from "./build-in-namespace";
import { allSources, findSource, type SourceDescription } from "./parts/ensure-part";
import { type Part, type PartSource, partName, partTitle } from "./parts/part";
import { imageName, imageRecipes } from "./recipes/image-names";
import type { ImageRecipe } from "./recipes/recipe";
import { openSealed } from "./store/sealed-folder";

/** The part of a configuration that decides about images. */
export interface ImageWishes {
  readonly kubernetesVersion: string;
  readonly distribution: DistributionName;
  readonly options: { readonly runtime: ContainerRuntimeName };
  readonly addons: Readonly<Record<AddOnName, boolean>>;
  /** Of the stack, if it has one. */
  readonly packageLock?: PackageLock;
}

/**
 * The recipes of a stack's images on this driver.
 * @throws UserError `package-lock` for a lock that does not fit
 */
export const imageRecipesOf = (
  driver: DriverName,
  { kubernetesVersion, distribution, options, packageLock }: ImageWishes,
): readonly ImageRecipe[] =>
  imageRecipes(kubernetesVersion, drivers[driver].imageForm, distribution, options.runtime, packageLock);

/** As `imageRecipesOf`. */
export const imageNamesOf = (driver: DriverName, wishes: ImageWishes): readonly string[] =>
  imageRecipesOf(driver, wishes).map(imageName);

/** Whether all these images are sealed: their records are written last. */
export async function areImagesPresent(names: readonly string[], { files, folders }: Host): Promise<boolean> {
  const found = await Promise.all(names.map((name) => files.exists(path.join(folders.images(), name, "image.json"))));
  return found.every(Boolean);
}

/** @param inspect of the driver: whether machines can be created from an image */
export async function checkImages(
  names: readonly string[],
  inspect: (image: { readonly name: string }) => Promise<unknown>,
): Promise<readonly HostFinding[]> {
  return Promise.all(
    names.map(async (name) =>
      (await inspect({ name }))
        ? ok("image", `image ${name} is present`)
        : warning("image", `image ${name} is missing`, "`npm start` or `npx groundplane image build` builds it"),
    ),
  );
}

/** Users other than root build in a user namespace. */
export async function checkImageBuilding(host: Host): Promise<readonly HostFinding[]> {
  if (host.facts.platform !== "linux") return [];
  if (!isOrdinaryUser(host)) return [ok("image-building", "this user, root, can build images")];
  const found = await buildingProblem(host);
  if (found) return [warning("image-building", found.problem, found.hint)];
  return [ok("image-building", "this user can build images in a user namespace")];
}

/** Sources that have some parts only. */
const partial: readonly string[] = ["debian", "files"];

/**
 * Only a missing part needs a source. A source that cannot be used matters only when no other provides the programs that
 * nodes run.
 */
export function describeFoundSources(sources: readonly SourceDescription[]): readonly HostFinding[] {
  const isEnough = sources.some(({ name, usable }) => usable && !partial.includes(name));
  const hint = "`npm start` downloads Go and builds them; without a network: `npx groundplane bundle load FILE`";
  return sources.map(({ name, usable, reason }) => {
    if (usable) return ok("source", `parts from ${name}: ${reason}`);
    const text = `parts from ${name}: unavailable, ${reason}`;
    return isEnough ? ok("source", `${text}; another source has them`) : warning("source", text, hint);
  });
}

/**
 * The programs that the nodes of a stack run: each is in the cache, has a source, or cannot be had. What is not in the cache matters
 * only for images that are still to be built.
 */
export async function checkParts(
  driver: DriverName,
  wishes: ImageWishes,
  host: Host,
  sources: readonly PartSource[] = allSources(host),
): Promise<readonly HostFinding[]> {
  if (host.facts.platform !== "linux") return [];
  const recipes = imageRecipesOf(driver, wishes);
  const finished = await Promise.all(recipes.map((recipe) => isFinished(recipe, sources)));
  const parts = recipes
    .filter((_, index) => !finished[index])
    .flatMap(({ kubernetes }) => kubernetes?.parts ?? [])
    .map((recipe): Part => ({ kind: "programs", recipe }));
  const isCached = async (part: Part): Promise<boolean> =>
    typeof (await openSealed(host, path.join(host.folders.parts(), partName(part)))) !== "string";
  const cached = await Promise.all(parts.map(isCached));
  const others = parts.filter((_, index) => !cached[index]);
  if (parts.length === 0) return [];
  const inCache = ok("part", `${parts.length - others.length} of ${parts.length} programs of nodes are in the cache`);
  if (others.length === 0 || (await areImagesPresent(imageNamesOf(driver, wishes), host))) return [inCache];
  return [inCache, ...(await findingsOfMissing(others, sources))];
}

/** A bundle may have a finished disk. */
async function isFinished(recipe: ImageRecipe, sources: readonly PartSource[]): Promise<boolean> {
  const part: Part = { kind: "disk", recipe };
  if (!recipe.disk) return false;
  const answers = sources.filter((each) => each.provides(part)).map((each) => each.available(part));
  return (await Promise.all(answers)).some(({ usable }) => usable);
}

async function findingsOfMissing(
  parts: readonly Part[],
  sources: readonly PartSource[],
): Promise<readonly HostFinding[]> {
  const titles = new Map<string, string[]>();
  const missing: HostFinding[] = [];
  for (const part of parts) {
    try {
      const { source, reason } = await findSource(part, sources);
      const from = `${source.name} (${reason})`;
      titles.set(from, [...(titles.get(from) ?? []), partTitle(part)]);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      missing.push(warning("part", error.problem, error.hint));
    }
  }
  const found = [...titles].map(([from, names]) => ok("part", `not in the cache, from ${from}: ${names.join(", ")}`));
  return [...found, ...missing];
}
