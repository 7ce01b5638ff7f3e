import * as path from "node:path";
import { buildSync } from "esbuild";

/** Bundles a script of this folder into `folder`, so that many starts do not compile it again. */
export function bundleScript(name: string, folder: string): string {
  const outfile = path.join(folder, `${name}.js`);
  buildSync({
    ...{ entryPoints: [path.join(__dirname, `${name}.ts`)], outfile, bundle: true },
    ...{ platform: "node", target: "node20", logLevel: "warning", external: ["cpu-features", "*.node"] },
  });
  return outfile;
}
