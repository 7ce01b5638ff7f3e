import * as fs from "node:fs";
import * as path from "node:path";

/** A resource plugin that an installed npm package needs at run time. */
export interface RequiredPackage {
  readonly name: string;
  /** With a leading `v`. */
  readonly version: string;
  /** Where to download the plugin from; empty: the usual place. */
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
