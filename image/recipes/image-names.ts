import { createHash } from "node:crypto";
import {
  type ContainerRuntimeName,
  containerRuntimeNames,
  defaultContainerRuntime,
} from "../../model/container-runtimes";
import { type DistributionName, distributions } from "../../model/distributions";
import type { ImageForm } from "../../model/drivers";
import { kubernetesVersions } from "../../model/releases";
import type { ImageKind } from "../../model/volumes";
import { containerLayer } from "./container-layer";
import { diskOf } from "./disk";
import { kubernetesRecipe } from "./kubernetes";
import type { ImageRecipe } from "./recipe";
import { rootTrees, rootTreeWith } from "./root-tree";

const RECIPE_VERSION = 2;

/** The recipes of all images of a data centre with this version of Kubernetes (without `v`). */
export function imageRecipes(
  kubernetesVersion: string,
  form: ImageForm,
  distribution: DistributionName = "debian",
  runtime: ContainerRuntimeName = defaultContainerRuntime,
): readonly ImageRecipe[] {
  const common = {
    recipeVersion: RECIPE_VERSION,
    rootTree: rootTrees[distribution],
    ...(form === "disk" ? { disk: diskOf(distribution) } : { container: containerLayer }),
  };
  return [
    { ...common, name: "infrastructure" },
    {
      ...common,
      name: "kubernetes",
      rootTree: rootTreeWith(distribution, runtime),
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
): string {
  for (const recipe of imageRecipes(kubernetesVersion, form, distribution, runtime))
    if (recipe.name === kind) return imageName(recipe);
  throw new Error(`no recipe is called ${kind}`);
}

/** The names of all images of a data centre. */
export const imageNames = (
  kubernetesVersion: string,
  form: ImageForm,
  distribution?: DistributionName,
  runtime?: ContainerRuntimeName,
): readonly string[] => imageRecipes(kubernetesVersion, form, distribution, runtime).map(imageName);

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
