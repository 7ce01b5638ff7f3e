import * as path from "node:path";
import type { Host } from "../../model/host";
import { type DiskSpec, ForeignObjectError, isOwner, type Owner } from "../hypervisor";
import { diskFolder } from "./folders";

/** A data disk is a folder that is bind-mounted into its machine. Its size is not enforced, see README.md. */
type DiskRecord = DiskSpec & { readonly owner: Owner };
type DiskName = Pick<DiskSpec, "stack" | "name">;

const recordFile = (host: Host, { stack, name }: DiskName): string =>
  path.join(diskFolder(host, stack, name), "disk.json");

export const diskDataFolder = (host: Host, { stack, name }: DiskName): string =>
  path.join(diskFolder(host, stack, name), "data");

export function inspectDisk(host: Host, spec: DiskName): Promise<DiskRecord | undefined> {
  return host.files.readJson<DiskRecord>(recordFile(host, spec));
}

export async function ensureDisk(host: Host, spec: DiskSpec, owner: Owner): Promise<void> {
  await checkOwner(host, spec, owner);
  const { stack, name, uuid, sizeGiB, use } = spec;
  const record = { stack, name, uuid, sizeGiB, ...(use !== undefined && { use }), owner } satisfies DiskRecord;
  await host.files.makeFolder(diskFolder(host, stack, name), 0o700);
  await host.files.writeJson(recordFile(host, spec), record);
  await host.files.makeFolder(diskDataFolder(host, spec));
}

export async function removeDisk(host: Host, spec: DiskName, owner: Owner): Promise<void> {
  await checkOwner(host, spec, owner);
  // Data first, record last: after an interruption, the owner is still known.
  await host.files.remove(diskDataFolder(host, spec));
  await host.files.remove(diskFolder(host, spec.stack, spec.name));
  await host.files.removeIfEmpty(host.folders.disks(spec.stack));
}

async function checkOwner(host: Host, spec: DiskName, owner: Owner): Promise<void> {
  const known = await inspectDisk(host, spec);
  if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`disk ${spec.name}`, known.owner);
}
