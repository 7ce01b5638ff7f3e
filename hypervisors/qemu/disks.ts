import * as path from "node:path";
import { disksFolder } from "../../host/data-folder";
import { exists, moveTree, readJson, removeIfEmpty, removeTree, writeJson } from "../../host/file-store";
import { UserError } from "../../model/user-error";
import { type DiskSpec, ForeignObjectError, type Owner } from "../hypervisor";
import { isOwner } from "../ownership";
import { makeDisk, resizeDisk } from "./commands";
import { diskFolder } from "./folders";
import { namingFullDisk } from "./full-disk";
import { stackRecords } from "./machine-record";
import { dataDiskNode, qmpSocket } from "./names";
import { isRunning } from "./processes";
import { inspectDiskFile, runQemuImg } from "./qemu-img";
import { withQmp } from "./qmp";

/** A data disk is a qcow2 file of its own; the guest knows it by its name, which is its serial number. */
type DiskRecord = DiskSpec & { readonly owner: Owner };
type DiskName = Pick<DiskSpec, "stack" | "name">;

const GIB = 1024 ** 3;
const recordFile = ({ stack, name }: DiskName): string => path.join(diskFolder(stack, name), "disk.json");

export const diskFile = ({ stack, name }: DiskName): string => path.join(diskFolder(stack, name), "disk.qcow2");

export function inspectDisk(spec: DiskName): Promise<DiskRecord | undefined> {
  return readJson<DiskRecord>(recordFile(spec));
}

export function ensureDisk(spec: DiskSpec, owner: Owner): Promise<void> {
  return namingFullDisk(diskFolder(spec.stack, spec.name), () => makeOrGrow(spec, owner));
}

async function makeOrGrow(spec: DiskSpec, owner: Owner): Promise<void> {
  const known = await checkOwner(spec, owner);
  const { stack, name, uuid, sizeGiB } = spec;
  const file = diskFile(spec);
  if (!known && (await exists(file))) throw new ForeignObjectError(`file ${file}`, undefined);
  // The size that it has, until it has the other one.
  const before = known?.sizeGiB ?? sizeGiB;
  await writeJson(recordFile(spec), { stack, name, uuid, sizeGiB: before, owner } satisfies DiskRecord);
  if (!(await exists(file))) {
    await removeTree(`${file}.partial`);
    await runQemuImg(makeDisk(`${file}.partial`, sizeGiB * GIB));
    await moveTree(`${file}.partial`, file);
  } else await growDisk(spec);
  await writeJson(recordFile(spec), { stack, name, uuid, sizeGiB, owner } satisfies DiskRecord);
}

export async function removeDisk(spec: DiskName, owner: Owner): Promise<void> {
  await checkOwner(spec, owner);
  // The data before the record: interrupted, it is still known whose they are.
  await removeTree(diskFile(spec));
  await removeTree(diskFolder(spec.stack, spec.name));
  await removeIfEmpty(disksFolder(spec.stack));
  await removeIfEmpty(path.dirname(disksFolder(spec.stack)));
}

/** Grows the file, through QEMU where a running machine has it open: the guest sees it at once. */
async function growDisk(spec: DiskSpec): Promise<void> {
  const file = diskFile(spec);
  const bytes = spec.sizeGiB * GIB;
  const present = (await inspectDiskFile(file))["virtual-size"];
  if (present > bytes) throw shrinking(`disk ${spec.name}`, present, bytes);
  if (present === bytes) return;
  for (const machine of await stackRecords(spec.stack)) {
    const index = machine.spec.disks.findIndex(({ disk }) => disk === spec.name);
    if (index < 0 || !(await isRunning(machine.spec))) continue;
    await withQmp(qmpSocket(machine.spec), (qmp) =>
      qmp.execute("block_resize", { "node-name": dataDiskNode(index), size: bytes }),
    );
    return;
  }
  await runQemuImg(resizeDisk(file, bytes));
}

export function shrinking(what: string, present: number, wanted: number): UserError {
  return new UserError(
    "disk-shrinks",
    `${what} has ${present / GIB} GiB and cannot shrink to ${wanted / GIB} GiB`,
    "set its size back, or make a new one and copy the data",
  );
}

async function checkOwner(spec: DiskName, owner: Owner): Promise<DiskRecord | undefined> {
  const known = await inspectDisk(spec);
  if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`disk ${spec.name}`, known.owner);
  return known;
}
