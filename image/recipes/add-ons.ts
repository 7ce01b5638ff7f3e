import { type AddOnName, addOnNames } from "../../model/add-ons";
import { containerImageNames, kubernetesVersions, type Release, releaseOf } from "../../model/releases";
import { recipeHash } from "./image-names";
import type { ContainerImageRecipe, ProgramsRecipe } from "./recipe";

/** What an add-on's container image is made of. It is in no image of a node: running nodes get it when a stack asks for it. */
export interface AddOnRecipe {
  readonly name: AddOnName;
  readonly programs: ProgramsRecipe;
  readonly image: ContainerImageRecipe;
}

type ImageNames = ReturnType<typeof containerImageNames>;
type Versioned = Pick<AddOnRecipe, "programs" | "image">;

const recipes: Readonly<Record<AddOnName, (release: Release, names: ImageNames) => Versioned>> = {
  "metrics-server": (release, names) =>
    ofPrograms(
      { name: "metrics-server", version: release.metricsServer, programs: ["metrics-server"] },
      names.metricsServer,
    ),
  // Both programs have one image, because workers run both.
  metallb: (release, names) =>
    ofPrograms({ name: "metallb", version: release.metallb, programs: ["controller", "speaker"] }, names.metallb),
  // Its settings are variables of its environment, but it does not start without a file.
  registry: (release, names) => {
    const { programs, image } = ofPrograms(
      { name: "registry", version: release.registry, programs: ["registry"] },
      names.registry,
    );
    const texts = { "etc/distribution/config.yml": "version: 0.1\nstorage: { filesystem: {} }\n" };
    return { programs, image: { ...image, texts } };
  },
};

/** A program is in /usr/bin; the first one is the image's entry point. */
function ofPrograms(programs: ProgramsRecipe, name: string): Versioned {
  const paths = programs.programs.map((program) => [`usr/bin/${program}`, { part: programs.name, program }] as const);
  return { programs, image: { name, programs: Object.fromEntries(paths), entrypoint: [`/${paths[0]?.[0]}`] } };
}

/** @throws UserError `kubernetes-version` for a version without a release */
export const addOnRecipe = (name: AddOnName, kubernetesVersion: string): AddOnRecipe => ({
  name,
  ...recipes[name](releaseOf(kubernetesVersion), containerImageNames(kubernetesVersion)),
});

/** Those of every release. Several releases have the same. */
export const allAddOnRecipes = (): readonly AddOnRecipe[] =>
  kubernetesVersions.flatMap((version) => addOnNames.map((name) => addOnRecipe(name, version)));

/** The folder of the archive of the image, which depends on everything that the image is made of. */
export const archiveName = (recipe: AddOnRecipe): string =>
  `add-on-${recipe.programs.name}-${recipe.programs.version}-${recipeHash([recipe.programs, recipe.image])}`;

/** The archive in its folder, in the format of `docker save`. */
export const archiveFile = "image.tar";
