import * as path from "node:path";
import type { Host } from "../../model/host";
import type { ContainerImageRecipe } from "../recipes/recipe";

/** One entry of a container image's layer. Paths have no leading slash. */
export type LayerFile =
  | { readonly kind: "folder"; readonly path: string; readonly mode: number }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly from: string }
  | { readonly kind: "text"; readonly path: string; readonly text: string }
  | { readonly kind: "link"; readonly path: string; readonly to: string };

export interface ImageSources {
  /** Folder of a part's programs. */
  readonly programs: (part: string) => string;
  /** The root tree. */
  readonly tree: string;
}

/** Everything of an image's layer, parents first. */
export async function layerFiles(
  host: Host,
  image: ContainerImageRecipe,
  sources: ImageSources,
): Promise<readonly LayerFile[]> {
  const files: LayerFile[] = [];
  for (const [at, { part, program }] of Object.entries(image.programs)) {
    files.push({ kind: "file", path: at, mode: 0o755, from: path.join(sources.programs(part), program) });
  }
  const copied = image.fromTree ? await programsFromTree(host, image.fromTree, sources.tree) : [];
  files.push(...copied);
  for (const folder of image.foldersFromTree ?? []) files.push(...(await filesOfFolder(host, folder, sources.tree)));
  for (const [at, text] of Object.entries(image.texts ?? {})) files.push({ kind: "text", path: at, text });
  for (const [at, to] of Object.entries(image.links ?? {})) files.push({ kind: "link", path: at, to });
  if (image.fromTree) files.push(...mergedUsr);
  return withFolders(files);
}

/** Debian's layout: loaders and shebangs name /lib64 and /bin. */
const mergedUsr: readonly LayerFile[] = ["bin", "lib", "lib64", "sbin"].map((name) => ({
  kind: "link",
  path: name,
  to: `usr/${name}`,
}));

async function programsFromTree(host: Host, programs: readonly string[], tree: string): Promise<LayerFile[]> {
  const needed = new Set<string>(programs);
  for (const program of programs) for (const library of await librariesOf(host, program, tree)) needed.add(library);
  return Promise.all([...needed].map((name) => fileFromTree(host, name, tree)));
}

/** With the host's devices: a tree has none, and output to /dev/null must not create a file in it. */
const LDD = 'mount --rbind /dev "$1/dev" && exec chroot "$1" /usr/bin/ldd "$2"';

/** Runs in the tree, because the host has other libraries. A static program has none. */
async function librariesOf(
  { files, namespaces, run }: Host,
  program: string,
  tree: string,
): Promise<readonly string[]> {
  const argv = [...namespaces.own, "sh", "-c", LDD, "sh", tree, program];
  const { stdout } = await run(argv, { allowedExitCodes: [0, 1] });
  const names = stdout.split(/\s+/).filter((word) => word.startsWith("/"));
  const present = await Promise.all(names.map((name) => files.exists(path.join(tree, name))));
  return names.filter((_, index) => present[index]);
}

async function filesOfFolder(host: Host, folder: string, tree: string): Promise<LayerFile[]> {
  const names = await host.files.list(path.join(tree, folder));
  return Promise.all(names.map((name) => fileFromTree(host, path.join(folder, name), tree)));
}

async function fileFromTree({ trees }: Host, name: string, tree: string): Promise<LayerFile> {
  const merged = name.replace(/^\/(bin|lib|lib64|sbin)\//, "/usr/$1/").slice(1);
  const from = await insideTree(trees, path.join(tree, name), tree);
  const found = await trees.entry(from);
  if (!found) throw new Error(`the root tree has no ${name}`);
  return { kind: "file", path: merged, mode: found.mode & 0o755, from };
}

/** Follows links, such as the short name of a library. Absolute links lead to files of the tree. */
async function insideTree(trees: Host["trees"], file: string, tree: string): Promise<string> {
  const real = path.join(await trees.realPath(path.dirname(file)), path.basename(file));
  const target = (await trees.entry(real))?.target;
  if (target === undefined) return real;
  const next = path.isAbsolute(target) ? path.join(tree, target) : path.resolve(path.dirname(real), target);
  return insideTree(trees, next, tree);
}

/** Adds the folders of the files and those that programs expect; removes duplicates. */
function withFolders(files: readonly LayerFile[]): readonly LayerFile[] {
  const all = new Map<string, LayerFile>();
  const folder = (name: string): void => {
    if (name === "." || all.has(name)) return;
    folder(path.dirname(name));
    all.set(name, { kind: "folder", path: name, mode: name === "tmp" ? 0o1777 : 0o755 });
  };
  for (const name of ["etc", "run", "tmp", "var/run"]) folder(name);
  for (const file of files) {
    folder(path.dirname(file.path));
    if (!all.has(file.path)) all.set(file.path, file);
  }
  return [...all.values()];
}
