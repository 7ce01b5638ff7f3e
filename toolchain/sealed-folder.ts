import * as path from "node:path";
import { digestFile } from "../host/digest-file";
import { readJson, stampFile, writeJson } from "../host/file-store";

/** The last file in a folder with an obtained program: describes the complete program. */
interface SealRecord {
  readonly how: "download" | "build";
  /** Relative to the folder. */
  readonly program: string;
  readonly sha256: string;
  readonly size: number;
  readonly mtimeMs: number;
}

const recordFile = (folder: string): string => path.join(folder, "seal.json");

/** @param program the file that the folder is for, relative to it */
export async function sealFolder(folder: string, how: SealRecord["how"], program: string): Promise<void> {
  const file = path.join(folder, program);
  const stamp = await stampFile(file);
  if (!stamp) throw new Error(`${file} is missing`);
  const record: SealRecord = {
    ...{ how, program, sha256: await digestFile(file) },
    ...{ size: stamp.bytes, mtimeMs: stamp.modified },
  };
  await writeJson(recordFile(folder), record, 0o644);
}

/** `undefined` when the folder is incomplete. */
export async function readRecord(folder: string): Promise<SealRecord | undefined> {
  return readJson<SealRecord>(recordFile(folder)).catch(() => undefined);
}

/** Whether the program is unchanged. Reads its content only when its modification time differs. */
export async function isIntact(folder: string, record: SealRecord): Promise<boolean> {
  const file = path.join(folder, record.program);
  const stamp = await stampFile(file).catch(() => undefined);
  if (!stamp || stamp.bytes !== record.size) return false;
  return stamp.modified === Math.trunc(record.mtimeMs) || (await digestFile(file)) === record.sha256;
}
