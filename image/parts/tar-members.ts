import { createReadStream, createWriteStream } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import * as tar from "tar-stream";

/**
 * Takes single programs out of a gzip-compressed tar archive.
 * @param members name in the archive (without a leading `./`) to file name in the target folder
 * @throws Error naming what the archive does not have
 */
export async function extractMembers(
  archive: string,
  members: Readonly<Record<string, string>>,
  target: string,
): Promise<void> {
  const missing = new Set(Object.keys(members));
  const extract = tar.extract();
  const reading = pipeline(createReadStream(archive), createGunzip(), extract);
  const taking = (async () => {
    for await (const entry of extract) {
      const name = entry.header.name.replace(/^\.?\//, "");
      const program = members[name];
      if (program === undefined || entry.header.type !== "file") {
        entry.resume();
        continue;
      }
      await pipeline(entry, createWriteStream(path.join(target, program)));
      await fs.chmod(path.join(target, program), 0o755);
      missing.delete(name);
    }
  })();
  await Promise.all([reading, taking]);
  if (missing.size > 0) throw new Error(`${path.basename(archive)} has no ${[...missing].join(", ")}`);
}
