import * as fs from "node:fs/promises";
import { ifMissing } from "./file-store";

/** What changes with a file's content, without reading it. */
export interface FileStamp {
  readonly bytes: number;
  /** ms since 1970 */
  readonly modified: number;
}

/** `undefined` when there is no such file. */
export async function stampFile(file: string): Promise<FileStamp | undefined> {
  const found = await fs.stat(file).catch(ifMissing(undefined));
  return found && { bytes: found.size, modified: Math.trunc(found.mtimeMs) };
}

/** Takes everybody's permission to write to a file. */
export async function makeReadOnly(file: string): Promise<void> {
  await fs.chmod(file, 0o444);
}
