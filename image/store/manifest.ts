import { createHash } from "node:crypto";
import * as path from "node:path";
import type { Host } from "../../model/host";
import type { TreeEntry } from "../../model/host-trees";

/** One file system object, in a short form because a root tree has tens of thousands of them. */
export type ManifestEntry = readonly [
  /** Relative to the folder. */
  path: string,
  kind: TreeEntry["kind"],
  /** Permission bits. */
  mode: number,
  /** Bytes of a file, 0 of all others. */
  size: number,
  /** Modification time in ms of a file, 0 of all others: overlays change those of folders. */
  modified: number,
  /** sha256 of a file, target of a link. */
  content: string,
];

export interface Manifest {
  /** sha256 over everything except times: equal content, equal digest. */
  readonly digest: string;
  readonly entries: readonly ManifestEntry[];
}

export async function readManifest(host: Host, folder: string, signal?: AbortSignal): Promise<Manifest> {
  const entries: ManifestEntry[] = [];
  for (const found of await host.trees.entries(folder)) {
    signal?.throwIfAborted();
    entries.push(await describe(host, folder, found, true));
  }
  return { digest: digestOf(entries), entries };
}

/**
 * The first difference between a folder and its recorded manifest, in words; undefined when there is none.
 * @param full reads every byte; otherwise equal sizes and times count as equal content
 */
export async function findDifference(
  host: Host,
  folder: string,
  manifest: Manifest,
  full: boolean,
): Promise<string | undefined> {
  if (digestOf(manifest.entries) !== manifest.digest) return "its list of files is damaged";
  const left = new Map((await host.trees.entries(folder)).map((entry) => [entry.name, entry]));
  for (const recorded of manifest.entries) {
    const [name] = recorded;
    const found = left.get(name);
    if (!found) return `${name} is missing`;
    left.delete(name);
    if (!isEqual(await describe(host, folder, found, full), recorded, full)) return `${name} has changed`;
  }
  const [surplus] = left.keys();
  return surplus === undefined ? undefined : `${surplus} has been added`;
}

function isEqual(found: ManifestEntry, recorded: ManifestEntry, full: boolean): boolean {
  const [, kind, mode, size, modified, content] = found;
  if (kind !== recorded[1] || mode !== recorded[2] || size !== recorded[3]) return false;
  if (kind === "file" && !full) return modified === recorded[4];
  return content === recorded[5];
}

async function describe(
  host: Host,
  folder: string,
  { name, kind, mode, bytes, modified, target = "" }: TreeEntry,
  withContent: boolean,
): Promise<ManifestEntry> {
  if (kind !== "file") return [name, kind, mode, 0, 0, target];
  const content = withContent ? await host.files.digest(path.join(folder, name)) : "";
  return [name, kind, mode, bytes, modified, content];
}

function digestOf(entries: readonly ManifestEntry[]): string {
  const hash = createHash("sha256");
  for (const [name, kind, mode, size, , content] of entries)
    hash.update(JSON.stringify([name, kind, mode, size, content]));
  return hash.digest("hex");
}
