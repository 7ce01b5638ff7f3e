import { readFileSync } from "node:fs";
import * as path from "node:path";

/** This folder. Bundles are in dist/, next to cloud-init/. */
const folder = path.basename(__dirname) === "scripts" ? __dirname : path.join(__dirname, "..", "cloud-init", "scripts");

/** Text of `cloud-init/scripts/<name>.sh`, e.g. `gateway/role-ready`. The only code in cloud-init that reads the disk. */
export function script(name: string): string {
  return readFileSync(path.join(folder, `${name}.sh`), "utf8");
}
