import { randomBytes } from "node:crypto";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { isProcessAlive } from "./process-state";

const TEMPORARY = /\.(\d+)\.[0-9a-f]{8}\.tmp$/;

/** Where a file is written before it gets its name. The name says which process writes it. */
export const temporaryName = (file: string): string => `${file}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;

/** The name of the file that a temporary file becomes. */
export const nameOfTemporary = (file: string): string => file.replace(TEMPORARY, "");

/** Whether a killed process left this temporary file. */
export function isLeftOfKilledWrite(file: string): boolean {
  const pid = TEMPORARY.exec(file)?.[1];
  return pid !== undefined && !isProcessAlive(Number(pid));
}

/** Removes what killed writes of this file left. Its folder must exist. */
export async function removeLeftOfKilledWrites(file: string): Promise<void> {
  const folder = path.dirname(file);
  const names = (await fs.readdir(folder)).filter((name) => nameOfTemporary(name) === path.basename(file));
  for (const name of names.filter(isLeftOfKilledWrite)) await fs.rm(path.join(folder, name), { force: true });
}
