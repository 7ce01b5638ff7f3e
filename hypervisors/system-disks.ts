import * as path from "node:path";
import type { Host } from "../model/host";
import type { MachineState } from "./hypervisor";
import type { DriverRecord, FormerDisk } from "./machine-records";

/**
 * Exchanges the system disk of a machine whose parts are files and folders in the machine's folder. The record says which step
 * comes next, so that a killed exchange is taken back or completed by the next call, whichever it is.
 */

/** What a driver knows of its machines' system disks. */
export interface SystemDiskOf<R extends DriverRecord> {
  readonly folder: string;
  /** The names that a system disk may consist of. */
  readonly parts: readonly string[];
  readonly writeRecord: (record: R) => Promise<void>;
  /** Shuts the machine down. */
  readonly stop: (record: R) => Promise<void>;
  /** The keys of the record, besides the image, that belong to the system disk. */
  readonly recorded?: readonly (keyof R & string)[];
}

const ASIDE = "former";

/** The record without an interrupted step: what was leaving or returning is in its place. Every change begins with it. */
export async function settled<R extends DriverRecord>(host: Host, record: R, disk: SystemDiskOf<R>): Promise<R> {
  const { former } = record;
  return former === undefined || former.step === "aside" ? record : putBack(host, record, former, disk);
}

/** The machine as the next change finds it: what leaves or returns counts as in its place. */
export function presentDisk({ spec, former }: DriverRecord): Pick<MachineState, "spec" | "formerImage"> {
  if (former === undefined) return { spec };
  return former.step === "aside" ? { spec, formerImage: former.image } : { spec: { ...spec, image: former.image } };
}

/**
 * Sets the system disk of a stopped or running machine aside. The caller then creates the other one; the returned record is
 * written already.
 *
 * @param changes what the record says of the new disk, besides its image
 */
export async function setAside<R extends DriverRecord>(
  host: Host,
  record: R,
  image: string,
  disk: SystemDiskOf<R>,
  changes: Partial<R> = {},
): Promise<R> {
  const aside = path.join(disk.folder, ASIDE);
  await disk.stop(record);
  // Left by a disk that was no longer needed.
  await host.files.remove(aside);
  const parts: string[] = [];
  for (const part of disk.parts) if (await host.files.exists(path.join(disk.folder, part))) parts.push(part);
  const kept = Object.fromEntries((disk.recorded ?? []).map((key) => [key, record[key]]));
  const former = { image: record.spec.image, parts, kept } as const;
  await disk.writeRecord({ ...record, former: { ...former, step: "leaving" } });
  await host.files.makeFolder(aside, 0o700);
  for (const part of parts) await host.files.move(path.join(disk.folder, part), path.join(aside, part));
  const next = { ...record, ...changes, spec: { ...record.spec, image }, former: { ...former, step: "aside" } } as R;
  await disk.writeRecord(next);
  return next;
}

/** Removes the present system disk and puts the former one in its place. Does nothing if there is none. */
export async function takeBack<R extends DriverRecord>(host: Host, record: R, disk: SystemDiskOf<R>): Promise<R> {
  if (!record.former) return record;
  await disk.stop(record);
  const former = { ...record.former, step: "returning" } as const;
  await disk.writeRecord({ ...record, former });
  return putBack(host, record, former, disk);
}

/** Removes the disk that was set aside. */
export async function dropFormer<R extends DriverRecord>(host: Host, record: R, disk: SystemDiskOf<R>): Promise<R> {
  const { former, ...rest } = record;
  const next = rest as unknown as R;
  // From here on nothing returns to it, so it may be removed in part.
  if (former) await disk.writeRecord(next);
  await host.files.remove(path.join(disk.folder, ASIDE));
  return next;
}

async function putBack<R extends DriverRecord>(
  host: Host,
  { former: _former, ...record }: R,
  former: FormerDisk,
  disk: SystemDiskOf<R>,
): Promise<R> {
  for (const part of disk.parts) {
    const [present, aside] = [path.join(disk.folder, part), path.join(disk.folder, ASIDE, part)];
    const isAside = former.parts.includes(part) && (await host.files.exists(aside));
    // A part of the former disk that is not aside is back already.
    if (isAside || !former.parts.includes(part)) await host.files.remove(present);
    if (isAside) await host.files.move(aside, present);
  }
  const next = { ...record, ...former.kept, spec: { ...record.spec, image: former.image } } as unknown as R;
  await disk.writeRecord(next);
  await host.files.remove(path.join(disk.folder, ASIDE));
  return next;
}
