import { readFileSync } from "node:fs";
import * as path from "node:path";

/** This folder. Bundles are in dist/, next to cloud-init/. */
const folder = path.basename(__dirname) === "scripts" ? __dirname : path.join(__dirname, "..", "cloud-init", "scripts");

/**
 * Text of `cloud-init/scripts/<name>.sh`, e.g. `gateway/role-ready`, with the line ends of the guest, whatever the clone has.
 * The only code in cloud-init that reads the disk.
 */
export function script(name: string): string {
  return withLineFeeds(readFileSync(path.join(folder, `${name}.sh`), "utf8"));
}

export const withLineFeeds = (text: string): string => text.replaceAll("\r\n", "\n");
