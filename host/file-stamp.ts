import * as fs from "node:fs/promises";
import type { FileStamp } from "../model/host-files";
import { ifMissing } from "./file-store";

/** `undefined` when there is no such file. */
export async function stampFile(file: string): Promise<FileStamp | undefined> {
  const found = await fs.stat(file).catch(ifMissing(undefined));
  return found && { bytes: found.size, modified: Math.trunc(found.mtimeMs) };
}

/** Takes everybody's permission to write to a file. */
export async function makeReadOnly(file: string): Promise<void> {
  await fs.chmod(file, 0o444);
}
