import * as fs from "node:fs/promises";
import * as path from "node:path";
import { exists, readIfPresent, removeTree, writeFileAtomic } from "../../host/file-store";
import { discard } from "./discard";
import { findDifference, type Manifest, readManifest } from "./manifest";
import type { BuildContext } from "./progress";
import { asStorageError } from "./storage-error";

/**
 * A part that is complete or not there: `<folder>/content` and, written last, `<folder>/seal.json` with every file's
 * checksum. It is built beside its place and renamed, so a killed build leaves no half part.
 */
export interface SealedFolder {
  readonly folder: string;
  readonly content: string;
  readonly digest: string;
  /** What its builder said about where it came from. */
  readonly origin: string;
}

interface Seal extends Manifest {
  readonly origin: string;
}

const sealFile = (folder: string): string => path.join(folder, "seal.json");

export interface Verification {
  /** Reads every byte instead of comparing sizes and times. */
  readonly full?: boolean;
}

/** The sealed folder, or the reason in words why it cannot be used; `absent` when it was never finished. */
export async function openSealed(folder: string, { full = false }: Verification = {}): Promise<SealedFolder | string> {
  const text = await readIfPresent(sealFile(folder));
  if (text === undefined) return "absent";
  const seal = parseSeal(text);
  if (!seal) return "its seal is damaged";
  const content = path.join(folder, "content");
  const difference = await findDifference(content, seal, full);
  return difference ?? { folder, content, digest: seal.digest, origin: seal.origin };
}

/**
 * Gives the sealed folder, building it when it is absent and anew when it is damaged.
 * @param build fills the empty folder it is given and returns where the content comes from, in a few words
 * @throws UserError `disk-full` and whatever `build` throws; nothing is left at `folder` then
 */
export async function ensureSealed(
  folder: string,
  phase: string,
  context: BuildContext & Verification,
  build: (content: string) => Promise<string>,
): Promise<SealedFolder> {
  const found = await openSealed(folder, context);
  if (typeof found !== "string") return found;
  if (await exists(folder)) {
    context.progress({ phase, message: `is damaged (${found}) and is made anew` });
    await discard(folder);
  }
  const partial = `${folder}.partial`;
  await removeTree(partial);
  const content = path.join(partial, "content");
  try {
    await fs.mkdir(content, { recursive: true });
    const origin = await build(content);
    context.progress({ phase, message: "recording checksums" });
    const manifest = await readManifest(content, context.signal);
    const seal: Seal = { ...manifest, origin };
    await writeFileAtomic(sealFile(partial), JSON.stringify(seal));
    await fs.rename(partial, folder);
    return { folder, content: path.join(folder, "content"), digest: manifest.digest, origin };
  } catch (error) {
    await removeTree(partial);
    throw asStorageError(error, folder);
  }
}

function parseSeal(text: string): Seal | undefined {
  try {
    const seal = JSON.parse(text) as Partial<Seal>;
    const complete = typeof seal.digest === "string" && typeof seal.origin === "string" && Array.isArray(seal.entries);
    return complete ? (seal as Seal) : undefined;
  } catch {
    return undefined;
  }
}
