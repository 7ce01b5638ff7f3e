import { createHash } from "node:crypto";
import {
  type ContainerRuntimeName,
  containerRuntimeNames,
  defaultContainerRuntime,
} from "../../model/container-runtimes";
import { type DistributionName, distributions } from "../../model/distributions";
import type { ImageForm } from "../../model/drivers";
import type { LockSection, PackageLock } from "../../model/package-lock";
import { kubernetesVersions } from "../../model/releases";
import { UserError } from "../../model/user-error";
import type { ImageKind } from "../../model/volumes";
import { containerLayer } from "./container-layer";
import { diskOf } from "./disk";
import { kubernetesRecipe } from "./kubernetes";
import { lockedDisk, lockedTree } from "./locked-recipes";
import type { ImageRecipe, RootTreeRecipe } from "./recipe";
import { rootTrees, rootTreeWith } from "./root-tree";

const RECIPE_VERSION = 2;

/**
 * The recipes of all images of a data centre with this version of Kubernetes (without `v`).
 * @param lock of the stack, if it has one
 * @throws UserError `package-lock` for a lock that does not fit
 */
export function imageRecipes(
  kubernetesVersion: string,
  form: ImageForm,
  distribution: DistributionName = "debian",
  runtime: ContainerRuntimeName = defaultContainerRuntime,
  lock?: PackageLock,
): readonly ImageRecipe[] {
  const over = (tree: RootTreeRecipe, sections: readonly LockSection[]) => {
    const rootTree = lockedTree(tree, sections, lock);
    const top =
      form === "disk" ? { disk: lockedDisk(diskOf(distribution), rootTree, lock) } : { container: containerLayer };
    return { recipeVersion: RECIPE_VERSION, rootTree, ...top };
  };
  return [
    { ...over(rootTrees[distribution], ["tree"]), name: "infrastructure" },
    {
      ...over(rootTreeWith(distribution, runtime), runtime === "docker" ? ["tree", "docker"] : ["tree"]),
      name: "kubernetes",
      kubernetes: kubernetesRecipe(kubernetesVersion, runtime),
    },
  ];
}

/** The recipes of every data centre that a configuration can describe. */
export const allImageRecipes = (): readonly ImageRecipe[] =>
  (["tree", "disk"] satisfies ImageForm[]).flatMap((form) =>
    distributions.flatMap((distribution) =>
      kubernetesVersions.flatMap((version) =>
        containerRuntimeNames.flatMap((runtime) => imageRecipes(version, form, distribution, runtime)),
      ),
    ),
  );

/** The recipes of every data centre with this lock. It makes no image of a recipe that needs another package. */
export const lockedImageRecipes = (lock: PackageLock): readonly ImageRecipe[] =>
  (["tree", "disk"] satisfies ImageForm[]).flatMap((form) =>
    kubernetesVersions.flatMap((version) =>
      containerRuntimeNames.flatMap((runtime) => {
        try {
          return imageRecipes(version, form, lock.distribution, runtime, lock);
        } catch (error) {
          if (error instanceof UserError && error.id === "package-lock") return [];
          throw error;
        }
      }),
    ),
  );

/** `<recipe>-<12 hex>`, of disks `<recipe>-disk-<12 hex>`; equal recipes have equal names on every host. */
export function imageName(recipe: ImageRecipe): string {
  return `${recipe.name}-${recipe.disk ? "disk-" : ""}${recipeHash(recipe)}`;
}

/** The names of images in a text, e.g. in the record of a machine of any version. */
export const imageNamesIn = (text: string): readonly string[] => [
  ...new Set(text.match(/\b(?:infrastructure|kubernetes)-(?:disk-)?[0-9a-f]{12}\b/g)),
];

/** The name of the image of a kind. Pure. */
export function imageFor(
  kind: ImageKind,
  kubernetesVersion: string,
  form: ImageForm,
  distribution?: DistributionName,
  runtime?: ContainerRuntimeName,
  lock?: PackageLock,
): string {
  for (const recipe of imageRecipes(kubernetesVersion, form, distribution, runtime, lock))
    if (recipe.name === kind) return imageName(recipe);
  throw new Error(`no recipe is called ${kind}`);
}

/** The names of all images of a data centre. */
export const imageNames = (
  kubernetesVersion: string,
  form: ImageForm,
  distribution?: DistributionName,
  runtime?: ContainerRuntimeName,
  lock?: PackageLock,
): readonly string[] => imageRecipes(kubernetesVersion, form, distribution, runtime, lock).map(imageName);

/** 12 hex digits that depend on the data alone, not on the order of keys. */
export function recipeHash(data: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(data)))
    .digest("hex")
    .slice(0, 12);
}

function sorted(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(sorted);
  if (data === null || typeof data !== "object") return data;
  const entries = Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, sorted(value)]));
}
