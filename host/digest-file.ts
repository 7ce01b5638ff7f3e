import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import * as fs from "node:fs/promises";

/** Smaller files are read at once, which is several times faster for the many small files of a tree. */
const STREAM_ABOVE = 8 * 1024 * 1024;

/** sha256 of a file's content, hex. */
export async function digestFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  if ((await fs.stat(file)).size <= STREAM_ABOVE) return hash.update(await fs.readFile(file)).digest("hex");
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk);
  return hash.digest("hex");
}
