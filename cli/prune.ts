import * as path from "node:path";
import { bytesOnDisk } from "../host/disk-usage";
import { withFileLock } from "../host/file-lock";
import { realPath } from "../host/file-store";
import type { StoredItem } from "../model/stored-item";
import { UserError } from "../model/user-error";

/** A part of the data folder that all who change it lock. */
export interface StoredArea {
  readonly folder: string;
  /** Absent if `remove` locks. */
  readonly lock?: string;
  /** Why the area must stay as it is now. Asked under the lock. */
  busy?(): Promise<string | undefined>;
  items(): Promise<readonly StoredItem[]>;
  /** Returns why the item stays, or nothing. */
  remove(item: StoredItem): Promise<string | undefined>;
}

export interface UnusedItem extends Omit<StoredItem, "users"> {
  readonly bytes: number;
}

export interface PruneReport {
  /** False: it was only listed. */
  readonly removed: boolean;
  readonly unused: readonly UnusedItem[];
  readonly kept: readonly Omit<StoredItem, "reason">[];
  /** What is in use by another process or cannot be removed. */
  readonly leftAlone: readonly { readonly path: string; readonly reason: string }[];
  /** Of all that is unused. */
  readonly bytes: number;
}

export interface PruneOptions {
  readonly remove: boolean;
  readonly signal?: AbortSignal;
  readonly say?: (text: string) => void;
}

/** Lists what nothing uses, and removes it if asked. Each area is examined and changed under its lock; a locked one is left alone. */
export async function prune(areas: readonly StoredArea[], options: PruneOptions): Promise<PruneReport> {
  const found: Found = { unused: [], kept: [], leftAlone: [] };
  for (const area of areas) {
    const reason = await pruneArea(area, options, found);
    if (reason !== undefined) found.leftAlone.push({ path: area.folder, reason });
  }
  const bytes = found.unused.reduce((sum, each) => sum + each.bytes, 0);
  return { removed: options.remove, ...found, bytes };
}

interface Found {
  readonly unused: UnusedItem[];
  readonly kept: Omit<StoredItem, "reason">[];
  readonly leftAlone: { path: string; reason: string }[];
}

/** Returns why the whole area is left alone, or nothing. */
async function pruneArea(area: StoredArea, options: PruneOptions, found: Found): Promise<string | undefined> {
  options.signal?.throwIfAborted();
  const target = await realPath(area.folder);
  if (target === undefined) return undefined;
  const own = path.join((await realPath(path.dirname(area.folder))) ?? "", path.basename(area.folder));
  if (target !== own) return `it is a link to ${target}, which other data folders may use`;
  const work = async () => (await area.busy?.()) ?? pruneItems(area, options, found);
  if (area.lock === undefined) return work();
  return withFileLock(area.lock, work, { timeoutMs: 0 }).catch((error: unknown) => {
    if (error instanceof UserError && error.id === "locked")
      return `another process works on it, which holds ${area.lock}.lock`;
    throw error;
  });
}

async function pruneItems(area: StoredArea, { remove, signal, say }: PruneOptions, found: Found): Promise<undefined> {
  for (const { users, reason, ...item } of await area.items()) {
    signal?.throwIfAborted();
    if (users.length > 0) {
      found.kept.push({ ...item, users });
      continue;
    }
    const bytes = bytesOnDisk(item.path);
    if (remove) say?.(`removing ${item.path}`);
    const stays = remove ? await area.remove({ ...item, users, reason }).catch(firstLine) : undefined;
    if (stays === undefined) found.unused.push({ ...item, reason, bytes });
    else found.leftAlone.push({ path: item.path, reason: stays });
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
