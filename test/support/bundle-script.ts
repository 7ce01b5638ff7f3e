import * as fs from "node:fs";
import * as path from "node:path";
import { buildSync } from "esbuild";
import { projectFolder } from "../../host/project-folder";

/** Bundles a script of this folder into `folder`, so that many starts do not compile it again. */
export function bundleScript(name: string, folder: string): string {
  const outfile = path.join(folder, `${name}.js`);
  buildSync({
    ...{ entryPoints: [path.join(__dirname, `${name}.ts`)], outfile, bundle: true },
    ...{ platform: "node", target: "node20", logLevel: "warning", external: ["cpu-features", "*.node"] },
  });
  return outfile;
}

/** Bundles a script into dist/, where it finds the scripts of groundplane, until this process ends. */
export function bundleIntoProject(name: string): string {
  const dist = path.join(projectFolder(), "dist");
  fs.mkdirSync(dist, { recursive: true });
  const folder = fs.mkdtempSync(path.join(dist, "test-"));
  process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
  return bundleScript(name, folder);
}
