import * as fs from "node:fs";
import * as path from "node:path";
import { ownNamespaces } from "../../host/namespaces";
import { runCommand } from "../../host/run-command";
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
export async function layerFiles(image: ContainerImageRecipe, sources: ImageSources): Promise<readonly LayerFile[]> {
  const files: LayerFile[] = [];
  for (const [at, { part, program }] of Object.entries(image.programs)) {
    files.push({ kind: "file", path: at, mode: 0o755, from: path.join(sources.programs(part), program) });
  }
  const copied = image.fromTree ? await programsFromTree(image.fromTree, sources.tree) : [];
  const folders = (image.foldersFromTree ?? []).flatMap((folder) => filesOfFolder(folder, sources.tree));
  files.push(...copied, ...folders);
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

async function programsFromTree(programs: readonly string[], tree: string): Promise<LayerFile[]> {
  const needed = new Set<string>(programs);
  for (const program of programs) for (const library of await librariesOf(program, tree)) needed.add(library);
  return [...needed].map((name) => fileFromTree(name, tree));
}

/** The host's devices: a tree has none, and what a script sends to /dev/null must not become a file of it. */
const LDD = 'mount --rbind /dev "$1/dev" && exec chroot "$1" /usr/bin/ldd "$2"';

/** Asked inside the tree: the host's own libraries are others. A static program has none. */
async function librariesOf(program: string, tree: string): Promise<readonly string[]> {
  const argv = [...ownNamespaces, "sh", "-c", LDD, "sh", tree, program];
  const { stdout } = await runCommand(argv, { allowedExitCodes: [0, 1] });
  return stdout.split(/\s+/).filter((word) => word.startsWith("/") && fs.existsSync(path.join(tree, word)));
}

function filesOfFolder(folder: string, tree: string): LayerFile[] {
  return fs.readdirSync(path.join(tree, folder)).map((name) => fileFromTree(path.join(folder, name), tree));
}

function fileFromTree(name: string, tree: string): LayerFile {
  const merged = name.replace(/^\/(bin|lib|lib64|sbin)\//, "/usr/$1/").slice(1);
  const from = insideTree(path.join(tree, name), tree);
  return { kind: "file", path: merged, mode: fs.statSync(from).mode & 0o755, from };
}

/** The file itself where the name is a link, e.g. a library's short name; absolute links mean the tree's own files. */
function insideTree(file: string, tree: string): string {
  const real = path.join(fs.realpathSync(path.dirname(file)), path.basename(file));
  if (!fs.lstatSync(real).isSymbolicLink()) return real;
  const target = fs.readlinkSync(real);
  return insideTree(path.isAbsolute(target) ? path.join(tree, target) : path.resolve(path.dirname(real), target), tree);
}

/** Adds the folders that files lie in, plus those that programs expect, and drops what is named twice. */
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
