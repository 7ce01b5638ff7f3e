import * as path from "node:path";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { namingFullDisk } from "../full-disk";
import { type DiskSpec, ForeignObjectError, isOwner, type Owner } from "../hypervisor";
import { makeDisk, resizeDisk } from "./commands";
import { diskFolder } from "./folders";
import { stackRecords } from "./machine-record";
import { dataDiskNode, qmpSocket } from "./names";
import { isRunning } from "./processes";
import { createDiskFile, inspectDiskFile, runQemuImg } from "./qemu-img";
import { withQmp } from "./qmp";

/** A data disk is a separate qcow2 file. Its name is its serial number, by which the guest finds it. */
type DiskRecord = DiskSpec & { readonly owner: Owner };
type DiskName = Pick<DiskSpec, "stack" | "name">;

const GIB = 1024 ** 3;
const recordFile = (host: Host, { stack, name }: DiskName): string =>
  path.join(diskFolder(host, stack, name), "disk.json");

export const diskFile = (host: Host, { stack, name }: DiskName): string =>
  path.join(diskFolder(host, stack, name), "disk.qcow2");

export function inspectDisk(host: Host, spec: DiskName): Promise<DiskRecord | undefined> {
  return host.files.readJson<DiskRecord>(recordFile(host, spec));
}

export function ensureDisk(host: Host, spec: DiskSpec, owner: Owner): Promise<void> {
  return namingFullDisk(diskFolder(host, spec.stack, spec.name), () => makeOrGrow(host, spec, owner));
}

async function makeOrGrow(host: Host, spec: DiskSpec, owner: Owner): Promise<void> {
  const known = await checkOwner(host, spec, owner);
  const { stack, name, uuid, sizeGiB, use } = spec;
  const file = diskFile(host, spec);
  if (!known && (await host.files.exists(file))) throw new ForeignObjectError(`file ${file}`, undefined);
  // The record keeps the old size until the disk has the new one.
  const record = { stack, name, uuid, ...(use !== undefined && { use }), owner };
  const before = { ...record, sizeGiB: known?.sizeGiB ?? sizeGiB } satisfies DiskRecord;
  await host.files.writeJson(recordFile(host, spec), before);
  if (!(await host.files.exists(file))) {
    await createDiskFile(host, file, (partial) => makeDisk(partial, sizeGiB * GIB));
  } else {
    // Earlier versions let every user read it.
    await host.trees.setMode(file, 0o600);
    await growDisk(host, spec);
  }
  await host.files.writeJson(recordFile(host, spec), { ...record, sizeGiB } satisfies DiskRecord);
}

export async function removeDisk(host: Host, spec: DiskName, owner: Owner): Promise<void> {
  await checkOwner(host, spec, owner);
  // Data first, record last: after an interruption, the owner is still known.
  await host.files.remove(diskFile(host, spec));
  await host.files.remove(diskFolder(host, spec.stack, spec.name));
  await host.files.removeIfEmpty(host.folders.disks(spec.stack));
  await host.files.removeIfEmpty(path.dirname(host.folders.disks(spec.stack)));
}

/** Grows the file. When a running machine has it open, QEMU does so, and the guest sees the new size immediately. */
async function growDisk(host: Host, spec: DiskSpec): Promise<void> {
  const file = diskFile(host, spec);
  const bytes = spec.sizeGiB * GIB;
  const present = (await inspectDiskFile(host, file))["virtual-size"];
  if (present > bytes) throw shrinking(`disk ${spec.name}`, present, bytes);
  if (present === bytes) return;
  for (const machine of await stackRecords(host, spec.stack)) {
    const index = machine.spec.disks.findIndex(({ disk }) => disk === spec.name);
    if (index < 0 || !(await isRunning(host, machine.spec))) continue;
    await withQmp(host, qmpSocket(host, machine.spec), (qmp) =>
      qmp.execute("block_resize", { "node-name": dataDiskNode(index), size: bytes }),
    );
    return;
  }
  await runQemuImg(host, resizeDisk(file, bytes));
}

export function shrinking(what: string, present: number, wanted: number): UserError {
  return new UserError(
    "disk-shrinks",
    `${what} has ${present / GIB} GiB and cannot shrink to ${wanted / GIB} GiB`,
    "set its size back, or make a new one and copy the data",
  );
}

async function checkOwner(host: Host, spec: DiskName, owner: Owner): Promise<DiskRecord | undefined> {
  const known = await inspectDisk(host, spec);
  if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`disk ${spec.name}`, known.owner);
  return known;
}
