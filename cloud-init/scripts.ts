import { readFileSync } from "node:fs";
import * as path from "node:path";

const loaded = new Map<string, string>();

/**
 * Text of `cloud-init/scripts/<name>.sh`, e.g. `gateway/role-ready`. The only place in cloud-init that reads the disk;
 * the path is right from this folder and from dist/ alike.
 */
export function script(name: string): string {
  let text = loaded.get(name);
  if (text === undefined) {
    text = readFileSync(path.join(__dirname, "..", "cloud-init", "scripts", `${name}.sh`), "utf8");
    loaded.set(name, text);
  }
  return text;
}
