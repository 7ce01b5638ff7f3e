import * as path from "node:path";
import type { Host } from "../../model/host";
import type { BuildContext } from "./build-context";
import { findDifference, type Manifest, readManifest } from "./manifest";
import { replaceFolder } from "./replace-folder";

/**
 * A part that is complete or absent: `<folder>/content` and, written last, `<folder>/seal.json` with the checksum of
 * every file. Killing a build never leaves an incomplete part.
 */
export interface SealedFolder {
  readonly folder: string;
  readonly content: string;
  readonly digest: string;
  /** Where the content comes from, as its builder reported. */
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
export async function openSealed(
  host: Host,
  folder: string,
  { full = false }: Verification = {},
): Promise<SealedFolder | string> {
  const text = await host.files.readText(sealFile(folder));
  if (text === undefined) return "absent";
  const seal = parseSeal(text);
  if (!seal) return "its seal is damaged";
  const content = path.join(folder, "content");
  const difference = await findDifference(host, content, seal, full);
  return difference ?? { folder, content, digest: seal.digest, origin: seal.origin };
}

/** The digest in the seal; `undefined` if it is missing or damaged. The content is not compared with it. */
export async function sealedDigest(host: Host, folder: string): Promise<string | undefined> {
  return parseSeal((await host.files.readText(sealFile(folder))) ?? "")?.digest;
}

/**
 * Returns the sealed folder; builds it when it is absent or damaged.
 * @param build fills the empty folder and returns where the content comes from, in a few words
 * @throws UserError `disk-full` and whatever `build` throws; nothing is left at `folder` then
 */
export async function ensureSealed(
  folder: string,
  phase: string,
  context: BuildContext & Verification,
  build: (content: string) => Promise<string>,
): Promise<SealedFolder> {
  const { host } = context;
  const found = await openSealed(host, folder, context);
  if (typeof found !== "string") return found;
  const seal = await replaceFolder(folder, phase, found, context, async (partial): Promise<Seal> => {
    const content = path.join(partial, "content");
    for (const created of [partial, content]) await host.trees.createFolder(created);
    const origin = await build(content);
    context.progress({ phase, message: "recording checksums" });
    const recorded: Seal = { ...(await readManifest(host, content, context.signal)), origin };
    await host.files.writeAtomic(sealFile(partial), JSON.stringify(recorded));
    return recorded;
  });
  return { folder, content: path.join(folder, "content"), digest: seal.digest, origin: seal.origin };
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
