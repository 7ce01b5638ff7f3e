import { stackFolder } from "../../host/data-folder";
import { withFileLock } from "../../host/file-lock";
import { listFolder, readJson, removeIfEmpty, removeTree, writeJson } from "../../host/file-store";
import { UserError } from "../../host/user-error";
import { ForeignObjectError, type MachineSpec, type Owner, type SegmentSpec } from "../../hypervisor";
import { groupFolder, lockFile, machinesFolder, segmentRecord, segmentsFolder, vmsFolder } from "./folders";
import { isOwner } from "./ownership";

/** An internal network needs no making: the record says whose it is. */
export interface SegmentRecord {
  readonly owner: Owner;
}

const withStackLock = <T>(stack: string, action: () => Promise<T>): Promise<T> =>
  withFileLock(lockFile(`stack-${stack}`), action);

export async function ensureSegment(spec: SegmentSpec, owner: Owner): Promise<void> {
  await withStackLock(spec.stack, async () => {
    await checkOwner(spec, owner);
    await writeJson(segmentRecord(spec.stack, spec.name), { owner } satisfies SegmentRecord);
  });
}

export function inspectSegment(spec: SegmentSpec): Promise<SegmentRecord | undefined> {
  return readJson<SegmentRecord>(segmentRecord(spec.stack, spec.name));
}

export async function removeSegment(spec: SegmentSpec, owner: Owner): Promise<void> {
  await withStackLock(spec.stack, async () => {
    await checkOwner(spec, owner);
    await removeTree(segmentRecord(spec.stack, spec.name));
  });
  await releaseStack(spec.stack);
}

/** Removes what is kept per stack as far as nothing is left in it. */
export async function releaseStack(stack: string): Promise<void> {
  await withStackLock(stack, async () => {
    const folders = [groupFolder(stack), vmsFolder(stack), segmentsFolder(stack), machinesFolder(stack)];
    for (const folder of [...folders, stackFolder(stack)]) await removeIfEmpty(folder);
  });
}

export async function segmentNames(stack: string): Promise<readonly string[]> {
  const files = await listFolder(segmentsFolder(stack));
  return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
}

async function checkOwner(spec: SegmentSpec, owner: Owner): Promise<void> {
  const known = await inspectSegment(spec);
  if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`segment ${spec.name}`, known.owner);
}

/** @throws UserError when the machine has a cable into a segment that does not exist */
export async function checkSegments(spec: MachineSpec): Promise<void> {
  const known = await segmentNames(spec.stack);
  const unknown = spec.nics.find((nic) => !known.includes(nic.segment));
  if (!unknown) return;
  throw new UserError(
    "segment-missing",
    `machine ${spec.name} has a cable into segment ${unknown.segment}, which does not exist`,
    "create the segment first",
  );
}
