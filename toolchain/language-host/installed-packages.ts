import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";

/** One line of `pulumi about`: a direct dependency and its installed version, or the wanted range when it is absent. */
export interface ProgramDependency {
  readonly name: string;
  readonly version: string;
}

/** @throws Error when the folder has no readable package.json. */
export function programDependencies(programFolder: string): ProgramDependency[] {
  const manifest = JSON.parse(fs.readFileSync(path.join(programFolder, "package.json"), "utf8")) as {
    readonly dependencies?: Record<string, string>;
    readonly devDependencies?: Record<string, string>;
  };
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies };
  return Object.entries(wanted).map(([name, range]) => ({
    name,
    version: installedVersion(programFolder, name) ?? range,
  }));
}

/** Reads the manifest by its path: a package's `exports` often hide package.json from `require`. */
function installedVersion(programFolder: string, name: string): string | undefined {
  const searched = createRequire(path.join(programFolder, "program.js")).resolve.paths(name) ?? [];
  for (const nodeModules of searched) {
    const manifest = path.join(nodeModules, name, "package.json");
    if (!fs.existsSync(manifest)) continue;
    return (JSON.parse(fs.readFileSync(manifest, "utf8")) as { readonly version?: string }).version;
  }
  return undefined;
}

/** A resource plugin that an installed npm package needs at run time. */
export interface RequiredPackage {
  readonly name: string;
  /** With a leading `v`. */
  readonly version: string;
  /** Where to download the plugin from; empty: the default site. */
  readonly server: string;
}

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly pulumi?: {
    readonly resource?: boolean;
    readonly name?: string;
    readonly version?: string;
    readonly server?: string;
  };
}

/** Packages installed for the program, also in folders above it, whose package.json names a resource plugin. */
export function requiredPackages(programFolder: string): RequiredPackage[] {
  const found = new Map<string, RequiredPackage>();
  for (const folder of [programFolder, ...foldersAbove(programFolder)]) {
    if (path.basename(folder) !== "node_modules") visit(path.join(folder, "node_modules"), found);
  }
  return [...found.values()];
}

function* foldersAbove(folder: string): Generator<string> {
  for (let at = folder; path.dirname(at) !== at; at = path.dirname(at)) yield path.dirname(at);
}

function visit(nodeModules: string, found: Map<string, RequiredPackage>): void {
  for (const entry of list(nodeModules)) {
    const folder = path.join(nodeModules, entry);
    if (entry.startsWith("@")) {
      visit(folder, found);
      continue;
    }
    const required = asRequiredPackage(readManifest(folder));
    if (required) found.set(`${required.name}@${required.version}`, required);
    visit(path.join(folder, "node_modules"), found);
  }
}

function asRequiredPackage(manifest: Manifest | undefined): RequiredPackage | undefined {
  if (manifest?.pulumi?.resource !== true) return undefined;
  const name = manifest.pulumi.name ?? /^@pulumi\/(.+)$/.exec(manifest.name ?? "")?.[1];
  const version = manifest.pulumi.version || manifest.version;
  if (!name || !version) return undefined;
  return { name, version: `v${version.replace(/^v/, "")}`, server: manifest.pulumi.server ?? "" };
}

function list(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}
