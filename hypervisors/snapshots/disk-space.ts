import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { DriverRecord } from "../machine-records";
import { readSnapshots, snapshotsFolder } from "./snapshot-files";
import type { SnapshotMethod } from "./snapshot-method";

/** Machines go on writing beside a snapshot, and folders need space, too. */
const RESERVE = 64 * 1024 ** 2;
const MIB = 1024 ** 2;

/**
 * Copies need as much as the disks occupy, unless the file system lets files share their blocks.
 * @throws UserError `disk-full`
 */
export async function refuseSmallDisk(
  host: Host,
  method: SnapshotMethod,
  stack: string,
  records: readonly DriverRecord[],
): Promise<void> {
  const folder = snapshotsFolder(host, stack);
  const needed = (method.drop ? 0 : await presentBytes(method, records)) + RESERVE;
  const free = await host.trees.freeBytes(folder);
  if (needed <= free || (await sharesBlocks(host, stack))) return;
  const names = (await readSnapshots(host, stack)).map(({ name }) => name);
  throw new UserError(
    "disk-full",
    `a snapshot of ${stack} needs ${inMiB(needed)}, and ${inMiB(free)} are free for ${folder}; no changes`,
    names.length > 0
      ? `free some space, for example with \`npx groundplane snapshot delete ${names[0]}\``
      : "free some space; `npx groundplane prune` lists what is unused",
  );
}

/**
 * The present disks go first, so only the difference is needed.
 * @throws UserError `disk-full`
 */
export async function refuseSmallDiskForRestore(
  host: Host,
  method: SnapshotMethod,
  { stack, bytes }: { readonly stack: string; readonly bytes: number },
  records: readonly DriverRecord[],
): Promise<void> {
  if (method.drop) return;
  const needed = bytes - (await presentBytes(method, records)) + RESERVE;
  const free = await host.trees.freeBytes(snapshotsFolder(host, stack));
  if (needed <= free || (await sharesBlocks(host, stack))) return;
  throw new UserError(
    "disk-full",
    `the restore needs ${inMiB(needed)} more than the present disks, and ${inMiB(free)} are free; no changes`,
    "free some space; `npx groundplane prune` lists what is unused",
  );
}

async function presentBytes(method: SnapshotMethod, records: readonly DriverRecord[]): Promise<number> {
  let total = 0;
  for (const { spec } of records) total += await method.bytesOf(spec);
  return total;
}

/** Whether a copy of a file needs no space of its own, as on btrfs and XFS. Asked by a copy. */
async function sharesBlocks(host: Host, stack: string): Promise<boolean> {
  const one = `${snapshotsFolder(host, stack)}/probe.new`;
  const other = `${snapshotsFolder(host, stack)}/probe.copy.new`;
  try {
    await host.files.writeAtomic(one, Buffer.alloc(64 * 1024, 1), 0o600);
    await host.run(["cp", "--reflink=always", "--", one, other]);
    return true;
  } catch {
    return false;
  } finally {
    for (const file of [one, other]) await host.files.remove(file);
  }
}

const inMiB = (bytes: number): string => `${Math.ceil(bytes / MIB)} MiB`;
