import * as path from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import * as tar from "tar-stream";
import type { ContainerRuntimeName } from "../../model/container-runtimes";
import type { ImageForm } from "../../model/drivers";
import type { Host } from "../../model/host";
import { defaultKubernetesVersion } from "../../model/releases";
import { DISK_FILE } from "../build/sealed-disk";
import { ensureImages } from "../build-images";
import { buildInNamespace, buildingProblem, isOrdinaryUser } from "../build-in-namespace";
import { imageRecipes } from "../recipes/image-names";
import type { ImageRecipe, ProgramsRecipe } from "../recipes/recipe";
import { asStorageError, type BuildContext, type OnProgress } from "../store/build-context";
import {
  BUNDLE_FORMAT,
  type BundledFile,
  type BundledPart,
  type BundleManifest,
  DISK_ARCHIVE,
  MANIFEST_NAME,
  TREE_ARCHIVE,
} from "./bundle-manifest";
import { partsOf } from "./bundle-parts";
import { packDisk, packTree } from "./bundle-source";
import { manifestText, SIGNATURE_NAME, signManifest } from "./bundle-trust";
import { allSources, ensurePart } from "./ensure-part";
import { type Part, type PartSource, partName, partTitle } from "./part";

export interface CreateBundleOptions {
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
  /** Where missing parts come from. */
  readonly sources?: readonly PartSource[];
  /** Parts of trees for system containers (default), or finished disks for virtual machines. */
  readonly form?: ImageForm;
  /** The runtime of the nodes' images; containerd when absent. */
  readonly runtime?: ContainerRuntimeName;
  /** The releases whose images are included; the default one when absent. */
  readonly kubernetes?: readonly string[];
  /** File with a private key that signs the bundle. */
  readonly sign?: string;
  /** The images whose parts are included; default: all images of these releases. */
  readonly recipes?: readonly ImageRecipe[];
  /** Programs that are in no image: those of add-ons. */
  readonly programs?: readonly ProgramsRecipe[];
  /** Texts of the locks that these recipes have, by stack. */
  readonly packageLocks?: BundleManifest["packageLocks"];
}

/**
 * Writes one file with everything that images are built from, for hosts without a network. Parts are verified byte by
 * byte before they are added, and fetched or built when they are absent.
 * @param file compressed when its name ends with `.gz` or `.tgz`
 * @throws UserError as `ensureImages` does; `file` does not exist then
 */
export async function createBundle(
  host: Host,
  file: string,
  options: CreateBundleOptions = {},
): Promise<BundleManifest> {
  const { form = "tree", runtime, programs, sign, packageLocks, kubernetes = [defaultKubernetesVersion] } = options;
  const recipes = options.recipes ?? kubernetes.flatMap((version) => imageRecipes(version, form, undefined, runtime));
  const context = { host, progress: options.progress ?? (() => {}), signal: options.signal };
  // Only the owners of a tree's files can read all of them; disks belong to the user.
  if (options.sources || !isOrdinaryUser(host) || recipes.every(({ disk }) => disk))
    return packBundle(file, { recipes, programs, sources: options.sources, sign, packageLocks }, context);
  const problem = await buildingProblem(host);
  if (problem) throw problem;
  return (await buildInNamespace(
    { kind: "bundle", recipes, programs, file, sign, packageLocks },
    context,
  )) as BundleManifest;
}

async function packBundle(
  file: string,
  { recipes = [], programs = [], sources, sign, packageLocks }: CreateBundleOptions,
  context: BuildContext,
): Promise<BundleManifest> {
  const { files, folders, trees } = context.host;
  await trees.createFolder(folders.data());
  const work = await trees.createFolderBeside(path.join(folders.data(), "bundle-work-"));
  const partial = `${file}.partial`;
  try {
    const parts = [];
    for (const part of partsOf(recipes, programs)) {
      parts.push(await describePart(context.host, part, await preparePart(part, sources, work, context)));
    }
    const manifest: BundleManifest = {
      format: BUNDLE_FORMAT,
      parts: parts.map(({ bundled }) => bundled),
      ...(packageLocks && { packageLocks }),
    };
    const signature = sign && (await signManifest(context.host, manifestText(manifest), sign));
    context.progress({ phase: "bundle", message: `writing ${file}` });
    const places = new Map(parts.flatMap((part) => [...part.places]));
    await writeBundle(trees, { manifest, signature, places }, partial, file);
    await files.move(partial, file);
    return manifest;
  } catch (error) {
    throw asStorageError(error, file);
  } finally {
    await files.remove(partial);
    await files.remove(work);
  }
}

interface DescribedPart {
  readonly bundled: BundledPart;
  /** Path in the bundle to the file on disk. */
  readonly places: ReadonlyMap<string, string>;
}

interface PreparedPart {
  /** Folder with its files as they go into the bundle. */
  readonly source: string;
  readonly origin: string;
}

async function preparePart(
  part: Part,
  sources: readonly PartSource[] | undefined,
  work: string,
  context: BuildContext,
): Promise<PreparedPart> {
  const { host, signal } = context;
  const source = path.join(work, partName(part));
  const pack = async (how: () => Promise<void>): Promise<void> => {
    context.progress({ phase: "bundle", message: `packing ${partTitle(part)}` });
    await host.trees.createFolder(source);
    await how();
  };
  if (part.kind === "disk") {
    const [record] = await ensureImages(host, { ...context, recipes: [part.recipe], sources, verify: true });
    const disk = path.join(host.folders.images(), partName(part), DISK_FILE);
    await pack(() => packDisk(host, disk, path.join(source, DISK_ARCHIVE), signal));
    return { source, origin: [...new Set(Object.values(record?.createdFrom ?? {}))].join(", ") };
  }
  const { content, origin } = await ensurePart(part, sources ?? allSources(host), { ...context, full: true });
  if (part.kind === "programs") return { source: content, origin };
  await pack(() => packTree(host, content, path.join(source, TREE_ARCHIVE), signal));
  return { source, origin };
}

async function describePart(host: Host, part: Part, { source, origin }: PreparedPart): Promise<DescribedPart> {
  const name = partName(part);
  const places = new Map<string, string>();
  const files: BundledFile[] = [];
  for (const entry of await host.files.list(source)) {
    const place = path.join(source, entry);
    places.set(`${name}/${entry}`, place);
    const size = await host.trees.size(place);
    files.push({ path: `${name}/${entry}`, size, sha256: await host.files.digest(place) });
  }
  return { bundled: { name, kind: part.kind, origin, files }, places };
}

interface BundleContent {
  readonly manifest: BundleManifest;
  readonly signature?: string;
  /** Path in the bundle to the file on disk. */
  readonly places: ReadonlyMap<string, string>;
}

async function writeBundle(trees: Host["trees"], content: BundleContent, partial: string, file: string): Promise<void> {
  const pack = tar.pack();
  const compress = /\.(gz|tgz)$/.test(file) ? createGzip({ level: 1 }) : new PassThrough();
  const writing = pipeline(pack, compress, trees.openWrite(partial));
  const filling = fill(trees, pack, content).catch((error: Error) => {
    pack.destroy(error);
    throw error;
  });
  await Promise.all([writing, filling]);
}

async function fill(
  trees: Host["trees"],
  pack: tar.Pack,
  { manifest, signature, places }: BundleContent,
): Promise<void> {
  pack.entry({ name: MANIFEST_NAME }, manifestText(manifest));
  if (signature) pack.entry({ name: SIGNATURE_NAME }, signature);
  for (const file of manifest.parts.flatMap((part) => part.files)) {
    const from = places.get(file.path);
    if (from === undefined) throw new Error(`${file.path} has no place on disk`);
    const entry = pack.entry({ name: file.path, size: file.size });
    await pipeline(trees.openRead(from), entry);
  }
  pack.finalize();
}
