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
