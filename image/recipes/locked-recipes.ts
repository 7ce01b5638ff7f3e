import { type LockedPackage, type LockSection, lockHint, type PackageLock, packagesIn } from "../../model/package-lock";
import { UserError } from "../../model/user-error";
import type { DiskRecipe, RootTreeRecipe } from "./recipe";

/**
 * The recipe with exactly the packages of a lock. Its name follows from them. Without a lock it stays as it is, and so does its name.
 * @throws UserError `package-lock` for a lock of another distribution, or one that lacks a package of the recipe
 */
export function lockedTree(
  tree: RootTreeRecipe,
  sections: readonly LockSection[],
  lock: PackageLock | undefined,
): RootTreeRecipe {
  if (lock === undefined) return tree;
  const { distribution = "debian", suite } = tree;
  if (lock.distribution !== distribution || lock.suite !== suite)
    throw misfit(`it has packages of ${lock.distribution} ${lock.suite}, and the stack needs ${distribution} ${suite}`);
  return { ...tree, locked: complete(tree.packages, packagesIn(lock, sections)) };
}

/** As `lockedTree`, for what is installed over the tree. */
export function lockedDisk(
  disk: DiskRecipe,
  { locked: below = [] }: RootTreeRecipe,
  lock: PackageLock | undefined,
): DiskRecipe {
  if (lock === undefined) return disk;
  const inTree = new Set(below.map(({ name }) => name));
  const isOver = (name: string): boolean => !inTree.has(name);
  const over = packagesIn(lock, ["disk"]).filter(({ name }) => isOver(name));
  return { ...disk, locked: complete(disk.packages.filter(isOver), over) };
}

function complete(names: readonly string[], locked: readonly LockedPackage[]): readonly LockedPackage[] {
  const known = new Set(locked.map(({ name }) => name));
  const missing = names.filter((name) => !known.has(name));
  if (missing.length > 0) throw misfit(`it lacks ${missing.join(", ")}, which the images of this groundplane need`);
  return [...locked].sort((one, other) => (one.name < other.name ? -1 : 1));
}

const misfit = (how: string): UserError =>
  new UserError("package-lock", `the stack's package lock does not fit: ${how}`, lockHint);

/** What an image with this recipe has by its lock; `undefined` for one that was built without. */
export const lockedPackagesOf = (recipe: {
  readonly rootTree: RootTreeRecipe;
  readonly disk?: DiskRecipe;
}): readonly LockedPackage[] | undefined =>
  recipe.rootTree.locked && [...recipe.rootTree.locked, ...(recipe.disk?.locked ?? [])];
