import { readFileSync } from "node:fs";
import * as path from "node:path";

/**
 * Text of `cloud-init/scripts/<name>.sh`, e.g. `gateway/role-ready`. The only place in cloud-init that reads the disk;
 * the path is right from this folder and from dist/ alike.
 */
export function script(name: string): string {
  return readFileSync(path.join(__dirname, "..", "cloud-init", "scripts", `${name}.sh`), "utf8");
}
