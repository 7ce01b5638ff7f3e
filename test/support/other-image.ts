import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import type { ProjectCopy } from "./project-copy";

/** Where the recipes of the two images have their names. */
const places = {
  kubernetes: '      name: "kubernetes",\n',
  infrastructure: '    { ...over(rootTrees[distribution], ["tree"]), name: "infrastructure" },\n',
} as const;

type Kind = keyof typeof places;

/** What an earlier call has put there. */
const markOf = (kind: Kind): RegExp =>
  new RegExp(`\\.\\.\\.\\(\\{ mark: "[^"]*" \\} as object\\), (?=name: "${kind}")`);

/**
 * Gives the recipe of an image in a project copy another content, and so another name, as a later version of groundplane does.
 *
 * @param of the image whose release is meant; by default that of a new stack
 * @returns the names before and after
 */
export function useOtherImage(
  project: ProjectCopy,
  mark: string,
  kind: Kind = "kubernetes",
  of?: string,
): { readonly before: string; readonly after: string } {
  const file = path.join(project.folder, "image", "recipes", "image-names.ts");
  const names = namesOf(project, kind);
  const release = of === undefined ? 0 : names.indexOf(of);
  const before = names[release];
  if (before === undefined) throw new Error(`no release has the image ${of}`);
  const text = fs.readFileSync(file, "utf8").replace(markOf(kind), "");
  const place = places[kind];
  if (!text.includes(place)) throw new Error(`${file} has no line like ${place}`);
  const marked = place.replace("name:", `...({ mark: "${mark}" } as object), name:`);
  fs.writeFileSync(file, text.replace(place, marked));
  execFileSync(process.execPath, ["build.cjs"], { cwd: project.folder });
  return { before, after: namesOf(project, kind)[release] ?? "" };
}

/** Of all releases, that of a new stack first. */
function namesOf(project: ProjectCopy, kind: Kind): readonly string[] {
  const script = `
    const { imageFor } = require("./image/recipes/image-names");
    const { kubernetesVersions } = require("./model/releases");
    const names = kubernetesVersions.map((version) => imageFor("${kind}", version, "tree"));
    process.stdout.write(JSON.stringify(names));`;
  const argv = ["--import", "tsx", "-e", script];
  return JSON.parse(execFileSync(process.execPath, argv, { cwd: project.folder, encoding: "utf8" }));
}

/** What a layer of a test image has at a path; a text that begins with `#!` is a program. */
export type LayerFiles = Readonly<Record<string, string>>;

/**
 * Adds an image to the data folder of a project copy: another one with a layer more. The image store of the host stays as it is.
 */
export function addImage(project: ProjectCopy, from: string, name: string, files: LayerFiles): void {
  const images = path.join(project.data, "images");
  if (fs.lstatSync(images).isSymbolicLink()) {
    const shared = fs.realpathSync(images);
    fs.unlinkSync(images);
    fs.mkdirSync(images);
    for (const image of fs.readdirSync(shared)) fs.symlinkSync(path.join(shared, image), path.join(images, image));
  }
  const own = `extra-${name}`;
  const [source, target] = [fs.realpathSync(path.join(images, from)), path.join(images, name)];
  fs.mkdirSync(path.join(target, "layers"), { recursive: true });
  const store = path.join(source, "containerd");
  // Hard links take no space. They are never written to.
  if (fs.existsSync(store)) execFileSync("cp", ["-al", store, path.join(target, "containerd")]);
  for (const layer of fs.readdirSync(path.join(source, "layers")))
    fs.symlinkSync(fs.realpathSync(path.join(source, "layers", layer)), path.join(target, "layers", layer));
  for (const [file, content] of Object.entries(files)) {
    const place = path.join(target, "layers", own, file);
    fs.mkdirSync(path.dirname(place), { recursive: true, mode: 0o755 });
    fs.writeFileSync(place, content, { mode: content.startsWith("#!") ? 0o755 : 0o644 });
  }
  const record = JSON.parse(fs.readFileSync(path.join(source, "image.json"), "utf8"));
  const layers = [own, ...record.layers];
  fs.writeFileSync(path.join(target, "image.json"), JSON.stringify({ ...record, name, layers, digest: `of ${name}` }));
}
