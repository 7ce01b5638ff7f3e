import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { digestFile } from "../../host/digest-file";

/** One file system object, shortened because a root tree has tens of thousands of them. */
export type ManifestEntry = readonly [
  /** Relative to the folder. */
  path: string,
  kind: "file" | "link" | "folder" | "other",
  /** Permission bits. */
  mode: number,
  /** Bytes of a file, 0 of all others. */
  size: number,
  /** Modification time in ms of a file, 0 of all others: folders change theirs when overlays look into them. */
  modified: number,
  /** sha256 of a file, target of a link. */
  content: string,
];

export interface Manifest {
  /** sha256 over everything but times: equal content, equal digest. */
  readonly digest: string;
  readonly entries: readonly ManifestEntry[];
}

export async function readManifest(folder: string, signal?: AbortSignal): Promise<Manifest> {
  const entries: ManifestEntry[] = [];
  for (const name of namesBelow(folder)) {
    signal?.throwIfAborted();
    entries.push(await describe(folder, name, true));
  }
  return { digest: digestOf(entries), entries };
}

/**
 * The first difference between a folder and what was recorded, in words; undefined when there is none.
 * @param full reads every byte; otherwise sizes and times speak for the content
 */
export async function findDifference(folder: string, manifest: Manifest, full: boolean): Promise<string | undefined> {
  if (digestOf(manifest.entries) !== manifest.digest) return "its list of files is damaged";
  const names = new Set(namesBelow(folder));
  for (const entry of manifest.entries) {
    if (!names.delete(entry[0])) return `${entry[0]} is missing`;
    const found = await describe(folder, entry[0], full);
    if (!isEqual(found, entry, full)) return `${entry[0]} has changed`;
  }
  const [surplus] = names;
  return surplus === undefined ? undefined : `${surplus} has been added`;
}

function isEqual(found: ManifestEntry, recorded: ManifestEntry, full: boolean): boolean {
  const [, kind, mode, size, modified, content] = found;
  if (kind !== recorded[1] || mode !== recorded[2] || size !== recorded[3]) return false;
  if (kind === "file" && !full) return modified === recorded[4];
  return content === recorded[5];
}

async function describe(folder: string, name: string, withContent: boolean): Promise<ManifestEntry> {
  const full = path.join(folder, name);
  // Synchronous: for tens of thousands of files several times faster.
  const status = fs.lstatSync(full);
  const mode = status.mode & 0o7777;
  if (status.isSymbolicLink()) return [name, "link", 0, 0, 0, fs.readlinkSync(full)];
  if (status.isDirectory()) return [name, "folder", mode, 0, 0, ""];
  if (!status.isFile()) return [name, "other", mode, 0, 0, ""];
  const content = withContent ? await digestFile(full) : "";
  return [name, "file", mode, status.size, Math.trunc(status.mtimeMs), content];
}

/** Every object below a folder, parents first, in a fixed order; symbolic links are not followed. */
function namesBelow(folder: string, below = ""): string[] {
  const entries = fs.readdirSync(path.join(folder, below), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const name = path.join(below, entry.name);
    return entry.isDirectory() ? [name, ...namesBelow(folder, name)] : [name];
  });
}

function digestOf(entries: readonly ManifestEntry[]): string {
  const hash = createHash("sha256");
  for (const [name, kind, mode, size, , content] of entries)
    hash.update(JSON.stringify([name, kind, mode, size, content]));
  return hash.digest("hex");
}
