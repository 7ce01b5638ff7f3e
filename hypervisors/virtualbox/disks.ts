import type { Host } from "../../model/host";
import { type DiskSpec, ForeignObjectError, isOwner, type Owner } from "../hypervisor";
import * as commands from "./commands";
import { whileDiskIsFree } from "./disk-user";
import { diskFiles } from "./folders";
import { LOOK_MS } from "./images";
import { mediumAt } from "./storage";
import type { Session, VirtualBox } from "./vboxmanage";

type DiskRecord = DiskSpec & { readonly owner: Owner };
type DiskName = Pick<DiskSpec, "stack" | "name">;

export const readDiskRecord = (host: Host, spec: DiskName): Promise<DiskRecord | undefined> =>
  host.files.readJson<DiskRecord>(diskFiles(host, spec).record);

/** VirtualBox unregisters a disk that no machine uses; then only the record has its size. */
export async function inspectDisk(box: VirtualBox, spec: DiskName): Promise<DiskRecord | undefined> {
  const record = await readDiskRecord(box.host, spec);
  const { medium } = diskFiles(box.host, spec);
  if (!record || !(await box.host.files.exists(medium))) return undefined;
  const listed = mediumAt(await box.session((session) => session.media(LOOK_MS)), medium);
  return listed?.capacityMiB === undefined ? record : { ...record, sizeGiB: Math.floor(listed.capacityMiB / 1024) };
}

export async function ensureDisk(box: VirtualBox, spec: DiskSpec, owner: Owner): Promise<void> {
  await checkOwner(box.host, spec, owner);
  const { stack, name, uuid, sizeGiB, use } = spec;
  const files = diskFiles(box.host, spec);
  await box.host.files.makeFolder(files.folder, 0o700);
  const before = await readDiskRecord(box.host, spec);
  // The record names the owner before the disk exists, and a new size only after the disk was resized.
  const kept = { stack, name, uuid, ...(use !== undefined && { use }), owner };
  const record = { ...kept, sizeGiB: before?.sizeGiB ?? sizeGiB } satisfies DiskRecord;
  await box.host.files.writeJson(files.record, record);
  if (!(await box.host.files.exists(files.medium))) {
    await whileDiskIsFree(box, spec, true, (session) => create(session, files.medium, sizeGiB));
  } else if (record.sizeGiB < sizeGiB) {
    await whileDiskIsFree(box, spec, false, (session) => grow(session, files.medium, sizeGiB));
  }
  if (await box.host.files.exists(files.medium)) await box.host.trees.setMode(files.medium, 0o600);
  if (record.sizeGiB !== sizeGiB)
    await box.host.files.writeJson(files.record, { ...record, sizeGiB } satisfies DiskRecord);
}

async function create(session: Session, file: string, sizeGiB: number): Promise<void> {
  const left = mediumAt(await session.media(), file);
  if (left) await session.call(commands.forgetDisk(left.uuid));
  await session.call(commands.createDisk(file, sizeGiB));
  await session.call(commands.keepOutOfSnapshots(file));
}

/** VirtualBox shows the old size of a disk until it rescans the disk, and it does not rescan while a machine runs. */
async function grow(session: Session, file: string, sizeGiB: number): Promise<void> {
  await session.call(commands.resizeDisk(file, sizeGiB));
  await session.media();
}

export async function removeDisk(box: VirtualBox, spec: DiskName, owner: Owner): Promise<void> {
  await checkOwner(box.host, spec, owner);
  const files = diskFiles(box.host, spec);
  if (!(await box.host.files.exists(files.folder))) return;
  await box.session(async (session) => {
    const listed = mediumAt(await session.media(), files.medium);
    if (listed) await session.call(commands.forgetDisk(listed.uuid));
  });
  // The record is removed last, so that the owner is still known after an interruption.
  await box.host.files.remove(files.medium);
  await box.host.files.remove(files.folder);
  await box.host.files.removeIfEmpty(box.host.folders.disks(spec.stack));
}

async function checkOwner(host: Host, spec: DiskName, owner: Owner): Promise<void> {
  const known = await readDiskRecord(host, spec);
  if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`disk ${spec.name}`, known.owner);
}
