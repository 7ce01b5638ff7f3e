import * as fs from "node:fs/promises";

/** Adds a line to a log that only its owner may read; lines of several writers never mix. The folder must exist. */
export async function appendLine(file: string, line: string): Promise<void> {
  await fs.appendFile(file, `${line}\n`, { mode: 0o600 });
}
