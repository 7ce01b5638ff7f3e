import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import * as tar from "tar-stream";
import type { Host } from "../../model/host";

/**
 * Extracts single programs from a gzip-compressed tar archive.
 * @param members by name in the archive (without a leading `./`): the file name in the target folder
 * @throws Error naming what the archive lacks
 */
export async function extractMembers(
  { trees }: Host,
  archive: string,
  members: Readonly<Record<string, string>>,
  target: string,
): Promise<void> {
  const missing = new Set(Object.keys(members));
  const extract = tar.extract();
  const reading = pipeline(trees.openRead(archive), createGunzip(), extract);
  const taking = (async () => {
    for await (const entry of extract) {
      const name = entry.header.name.replace(/^\.?\//, "");
      const program = members[name];
      if (program === undefined || entry.header.type !== "file") {
        entry.resume();
        continue;
      }
      await pipeline(entry, trees.openWrite(path.join(target, program), 0o755));
      missing.delete(name);
    }
  })();
  await Promise.all([reading, taking]);
  if (missing.size > 0) throw new Error(`${path.basename(archive)} has no ${[...missing].join(", ")}`);
}
