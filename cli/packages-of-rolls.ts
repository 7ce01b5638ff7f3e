import { localHost } from "../host/local-host";
import { readPackageLock } from "../host/package-lock-file";
import { packagesOfImage } from "../image/image-packages";
import { imageName, lockedImageRecipes } from "../image/recipes/image-names";
import { lockedPackagesOf } from "../image/recipes/locked-recipes";
import { type PackageChange, type PackageVersions, packageChanges, versionsOf } from "../model/package-lock";
import { imagesOfRoll } from "../review/image-rolls";
import type { NodeChange } from "../review/review";

/** How the packages of the images differ that nodes have and get. An image that neither is on this host nor has a lock says nothing. */
export async function packagesOfRolls(
  stack: string,
  changes: readonly Pick<NodeChange, "reasons">[],
): Promise<readonly PackageChange[]> {
  const rolls = changes.flatMap(({ reasons }) => reasons).map(imagesOfRoll);
  const pairs = new Map(rolls.flatMap((roll) => (roll ? [[`${roll.before} ${roll.after}`, roll] as const] : [])));
  if (pairs.size === 0) return [];
  const planned = await plannedPackages(stack);
  const packagesOf = async (name: string) => planned.get(name) ?? packagesOfImage(localHost, name);
  const found = new Map<string, PackageChange>();
  for (const { before, after } of pairs.values()) {
    const [from, to] = [await packagesOf(before), await packagesOf(after)];
    for (const change of from && to ? packageChanges(from, to) : []) found.set(JSON.stringify(change), change);
  }
  return [...found.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** An image need not be built for a preview. */
async function plannedPackages(stack: string): Promise<ReadonlyMap<string, PackageVersions>> {
  const lock = await readPackageLock(stack);
  const recipes = lock === undefined ? [] : lockedImageRecipes(lock);
  return new Map(recipes.map((recipe) => [imageName(recipe), versionsOf(lockedPackagesOf(recipe) ?? [])]));
}
