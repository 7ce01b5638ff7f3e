import { promisify } from "node:util";
import { gzip } from "node:zlib";
import * as tar from "tar-stream";

/** A gzipped tar archive. Files are readable by their owner only, and no owner is named. */
export async function packArchive(
  folder: string,
  files: Readonly<Record<string, string>>,
  created: Date,
): Promise<Buffer> {
  const pack = tar.pack();
  const chunks: Buffer[] = [];
  const read = (async () => {
    for await (const chunk of pack) chunks.push(chunk as Buffer);
  })();
  for (const [name, text] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)))
    pack.entry({ name: `${folder}/${name}`, mode: 0o600, uid: 0, gid: 0, mtime: created }, text);
  pack.finalize();
  await read;
  return promisify(gzip)(Buffer.concat(chunks));
}
