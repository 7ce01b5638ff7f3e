import * as fs from "node:fs";
import * as path from "node:path";
import { digestFile } from "../host/digest-file";
import { readJson, writeJson } from "../host/file-store";

/** Written last into a folder with a fetched program: what it should be like. */
interface SealRecord {
  readonly how: "download" | "build";
  /** Relative to the folder. */
  readonly program: string;
  readonly sha256: string;
  readonly size: number;
  readonly mtimeMs: number;
}

const recordFile = (folder: string): string => path.join(folder, "seal.json");

/** @param program the file that the folder is about, relative to it */
export async function sealFolder(folder: string, how: SealRecord["how"], program: string): Promise<void> {
  const file = path.join(folder, program);
  const { size, mtimeMs } = await fs.promises.stat(file);
  const record: SealRecord = { how, program, sha256: await digestFile(file), size, mtimeMs };
  await writeJson(recordFile(folder), record, 0o644);
}

/** `undefined` when the folder was never finished. */
export async function readRecord(folder: string): Promise<SealRecord | undefined> {
  return readJson<SealRecord>(recordFile(folder)).catch(() => undefined);
}

/** Is the program still what was sealed? Reads all of it only when its size or time says that somebody touched it. */
export async function isIntact(folder: string, record: SealRecord): Promise<boolean> {
  const file = path.join(folder, record.program);
  const stat = await fs.promises.stat(file).catch(() => undefined);
  if (!stat || stat.size !== record.size) return false;
  return stat.mtimeMs === record.mtimeMs || (await digestFile(file)) === record.sha256;
}
