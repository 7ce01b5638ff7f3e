import * as path from "node:path";
import { disksFolder } from "../../host/data-folder";
import { makeFolder, readJson, removeIfEmpty, removeTree, writeJson } from "../../host/file-store";
import { type DiskSpec, ForeignObjectError, type Owner } from "../hypervisor";
import { isOwner } from "../ownership";
import { diskFolder } from "./folders";

/** A data disk is a folder that is bound into its machine; its size is a statement only, see README.md. */
type DiskRecord = DiskSpec & { readonly owner: Owner };
type DiskName = Pick<DiskSpec, "stack" | "name">;

const recordFile = ({ stack, name }: DiskName): string => path.join(diskFolder(stack, name), "disk.json");

export const diskDataFolder = ({ stack, name }: DiskName): string => path.join(diskFolder(stack, name), "data");

export function inspectDisk(spec: DiskName): Promise<DiskRecord | undefined> {
  return readJson<DiskRecord>(recordFile(spec));
}

export async function ensureDisk(spec: DiskSpec, owner: Owner): Promise<void> {
  await checkOwner(spec, owner);
  const { stack, name, uuid, sizeGiB } = spec;
  await writeJson(recordFile(spec), { stack, name, uuid, sizeGiB, owner } satisfies DiskRecord);
  await makeFolder(diskDataFolder(spec));
}

export async function removeDisk(spec: DiskName, owner: Owner): Promise<void> {
  await checkOwner(spec, owner);
  // The data before the record: interrupted, it is still known whose they are.
  await removeTree(diskDataFolder(spec));
  await removeTree(diskFolder(spec.stack, spec.name));
  await removeIfEmpty(disksFolder(spec.stack));
}

async function checkOwner(spec: DiskName, owner: Owner): Promise<void> {
  const known = await inspectDisk(spec);
  if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`disk ${spec.name}`, known.owner);
}
