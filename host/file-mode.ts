import * as fs from "node:fs/promises";
import { ifMissing } from "./file-store";

/** A file's text and its permissions as four octal digits; `undefined` when there is none. */
export async function readFileAndMode(file: string): Promise<{ mode: string; content: string } | undefined> {
  const found = await fs.stat(file).catch(ifMissing(undefined));
  if (!found) return undefined;
  return { mode: (found.mode & 0o7777).toString(8).padStart(4, "0"), content: await fs.readFile(file, "utf8") };
}
