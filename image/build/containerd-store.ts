import * as path from "node:path";
import type { Host } from "../../model/host";
import { writeDockerArchive } from "../container/docker-archive";
import { type ImageSources, layerFiles } from "../container/layer-files";
import { recipeHash } from "../recipes/image-names";
import type { KubernetesRecipe } from "../recipes/recipe";
import type { BuildContext } from "../store/build-context";
import { ensureSealed, type SealedFolder, type Verification } from "../store/sealed-folder";
import { runBuildScript } from "./build-script";

const PHASE = "container images";

type StoreRecipe = Pick<KubernetesRecipe, "containerImages" | "imageNamespace">;

/** That of containerd's own plugin for the kubelet. */
const kubeletNamespace = "k8s.io";

/**
 * Fills an empty folder with a containerd store in which every image is unpacked: machines share its files by hard
 * links, and start without an import.
 * @throws UserError when unpacking fails, Error when an image is missing afterwards
 */
export async function buildContainerdStore(
  { containerImages: images, imageNamespace }: StoreRecipe,
  sources: ImageSources,
  store: string,
  context: BuildContext,
): Promise<void> {
  const { host } = context;
  const archives = await host.trees.createFolderBeside(`${store}-archives-`);
  try {
    for (const [index, image] of images.entries()) {
      context.signal?.throwIfAborted();
      context.progress({ phase: PHASE, message: `writing ${image.name}`, fraction: index / images.length });
      const file = path.join(archives, `${String(index).padStart(2, "0")}.tar`);
      await writeDockerArchive(host, image, await layerFiles(host, image, sources), file);
    }
    context.progress({ phase: PHASE, message: "unpacking", fraction: 1 });
    const present = await unpack({ archives, store, namespace: imageNamespace ?? kubeletNamespace }, sources, context);
    const missing = images.filter((image) => !present.includes(image.name)).map((image) => image.name);
    if (missing.length > 0) throw new Error(`containerd did not import ${missing.join(", ")}`);
  } finally {
    await host.files.remove(archives);
  }
  await dropLeftovers(host, store);
}

async function unpack(
  { archives, store, namespace }: { readonly archives: string; readonly store: string; readonly namespace: string },
  { tree, programs }: ImageSources,
  context: BuildContext,
): Promise<readonly string[]> {
  const env = {
    TREE: tree,
    PROGRAMS: programs("containerd"),
    STORE: store,
    ARCHIVES: archives,
    NAMESPACE: namespace,
    LOG: path.join(archives, "containerd.log"),
  };
  const { stdout } = await runBuildScript("unpack-container-images.sh", PHASE, { env, timeoutMs: 300_000 }, context);
  return stdout.split("\n");
}

/** Removes temporary mounts and uploads of the run that filled the store. */
async function dropLeftovers({ files }: Host, store: string): Promise<void> {
  for (const name of await files.list(store)) {
    if (name.startsWith("tmpmounts") || name.endsWith(".ttrpc")) await files.remove(path.join(store, name));
  }
  await files.remove(path.join(store, "io.containerd.content.v1.content", "ingest"));
}

/** @param madeFrom digests of the root tree and of the programs, in the order of the recipe */
export const storeFolder = ({ folders }: Host, recipe: StoreRecipe, madeFrom: readonly string[]): string => {
  const { containerImages, imageNamespace } = recipe;
  const key = [containerImages, madeFrom, ...(imageNamespace ? [imageNamespace] : [])];
  return path.join(folders.parts(), `containerd-store-${recipeHash(key)}`);
};

/** The store of a disk image as a part: a disk that is rebuilt with another layout reuses it. */
export async function ensureContainerdStore(
  recipe: KubernetesRecipe,
  base: SealedFolder,
  programs: ReadonlyMap<string, SealedFolder>,
  context: BuildContext & Verification,
): Promise<string> {
  const folder = storeFolder(
    context.host,
    recipe,
    [base, ...programs.values()].map(({ digest }) => digest),
  );
  const sources = { programs: (part: string) => programs.get(part)?.content ?? "", tree: base.content };
  const sealed = await ensureSealed(folder, PHASE, context, async (content) => {
    await context.host.trees.setMode(content, 0o711);
    await buildContainerdStore(recipe, sources, content, context);
    return "this version of groundplane";
  });
  return sealed.content;
}
