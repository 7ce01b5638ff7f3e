import * as fs from "node:fs";
import * as path from "node:path";
import { buildSync } from "esbuild";
import { projectFolder } from "../../host/project-folder";

/**
 * Bundles a script into `folder`, so that many starts do not compile it again.
 * @param name of a file of this folder without `.ts`, or a path in the project
 */
export function bundleScript(name: string, folder: string): string {
  const source = name.endsWith(".ts") ? path.join(projectFolder(), name) : path.join(__dirname, `${name}.ts`);
  const outfile = path.join(folder, `${path.basename(source, ".ts")}.js`);
  buildSync({
    ...{ entryPoints: [source], outfile, bundle: true },
    ...{ platform: "node", target: "node20", logLevel: "warning", external: ["cpu-features", "*.node"] },
  });
  return outfile;
}

/** Bundles a script into dist/, where it finds the scripts of groundplane, until this process ends. */
export function bundleIntoProject(name: string): string {
  const dist = path.join(projectFolder(), "dist");
  fs.mkdirSync(dist, { recursive: true });
  const folder = fs.mkdtempSync(path.join(dist, "test-"));
  const file = `${folder}.js`;
  fs.renameSync(bundleScript(name, folder), file);
  fs.rmdirSync(folder);
  process.once("exit", () => fs.rmSync(file, { force: true }));
  return file;
}
