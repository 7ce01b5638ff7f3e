import * as path from "node:path";
import type { AddOnName } from "../model/add-ons";
import type { Host } from "../model/host";
import { type HostFinding, ok, warning } from "../model/host-finding";
import { buildLock, LOCK_TIMEOUT_MS } from "./build-images";
import { writeDockerArchive } from "./container/docker-archive";
import { layerFiles } from "./container/layer-files";
import { allSources, ensurePart } from "./parts/ensure-part";
import type { PartSource } from "./parts/part";
import { type AddOnRecipe, addOnRecipe, archiveFile, archiveName } from "./recipes/add-ons";
import type { BuildContext, OnProgress } from "./store/build-context";
import { ensureSealed, openSealed, type SealedFolder } from "./store/sealed-folder";

export interface EnsureAddOnsOptions {
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Reads every byte of what exists instead of comparing sizes and times. */
  readonly verify?: boolean;
  /** Where programs come from, in order of preference; default: all usable sources. */
  readonly sources?: readonly PartSource[];
}

/** What a configuration says about add-ons. */
export interface AddOnWishes {
  readonly kubernetesVersion: string;
  readonly addons: Readonly<Record<AddOnName, boolean>>;
}

/** The recipes of the add-ons that a configuration names. */
export const addOnRecipesOf = ({ kubernetesVersion, addons }: AddOnWishes): readonly AddOnRecipe[] =>
  (Object.keys(addons) as AddOnName[])
    .filter((name) => addons[name])
    .map((name) => addOnRecipe(name, kubernetesVersion));

const folderOf = ({ folders }: Host, recipe: AddOnRecipe): string => path.join(folders.parts(), archiveName(recipe));

/**
 * Builds the archives of container images that are absent or damaged, from which running nodes get them. A stack without add-ons builds
 * none. Needs no rights of root.
 *
 * @throws UserError as `ensureImages`
 */
export async function ensureAddOns(
  host: Host,
  recipes: readonly AddOnRecipe[],
  options: EnsureAddOnsOptions = {},
): Promise<readonly SealedFolder[]> {
  if (recipes.length === 0) return [];
  const { progress = () => {}, signal, verify: full, sources = allSources(host) } = options;
  const context = { host, progress, signal, full };
  const file = buildLock(host);
  const message = `another process builds images (it holds ${file}.lock); waiting until it has finished`;
  const build = async (): Promise<readonly SealedFolder[]> => {
    const made = [];
    for (const recipe of recipes) made.push(await ensureOne(recipe, sources, context));
    return made;
  };
  return host.locks.withLock(file, build, {
    timeoutMs: LOCK_TIMEOUT_MS,
    onWait: () => progress({ phase: "add-ons", message }),
  });
}

async function ensureOne(
  recipe: AddOnRecipe,
  sources: readonly PartSource[],
  context: BuildContext & { readonly full?: boolean },
): Promise<SealedFolder> {
  const { host } = context;
  const phase = `add-on ${recipe.name}`;
  return ensureSealed(folderOf(host, recipe), phase, context, async (content) => {
    const { content: programs, origin } = await ensurePart(
      { kind: "programs", recipe: recipe.programs },
      sources,
      context,
    );
    context.progress({ phase, message: `writing ${recipe.image.name}` });
    const files = await layerFiles(host, recipe.image, { programs: () => programs, tree: "" });
    await writeDockerArchive(host, recipe.image, files, path.join(content, archiveFile));
    return origin;
  });
}

/** Of a stack's add-ons, whether this host can bring their container images to nodes. */
export const checkAddOns = (host: Host, recipes: readonly AddOnRecipe[]): Promise<readonly HostFinding[]> =>
  Promise.all(
    recipes.map(async (recipe) =>
      typeof (await openSealed(host, folderOf(host, recipe))) === "string"
        ? warning(
            "add-on",
            `the add-on ${recipe.name} is not built`,
            "`npm start` or `npx groundplane image build` builds it",
          )
        : ok("add-on", `the add-on ${recipe.name} is built`),
    ),
  );
