import { readJson, removeTree, writeJson } from "../../host/file-store";
import { ForeignObjectError, type Owner, type SegmentSpec } from "../hypervisor";
import { isOwner } from "../ownership";
import { segmentRecord } from "./folders";
import { ensureNetwork, type NetworkOptions, shrinkNetwork, withStackLock } from "./network";

interface SegmentRecord {
  readonly owner: Owner;
}

export async function ensureSegment(spec: SegmentSpec, owner: Owner, options: NetworkOptions): Promise<void> {
  await withStackLock(spec.stack, async () => {
    await checkOwner(spec, owner);
    await writeJson(segmentRecord(spec.stack, spec.name), { owner } satisfies SegmentRecord);
  });
  await ensureNetwork(spec.stack, options);
}

export function inspectSegment(spec: SegmentSpec): Promise<SegmentRecord | undefined> {
  return readJson<SegmentRecord>(segmentRecord(spec.stack, spec.name));
}

export async function removeSegment(spec: SegmentSpec, owner: Owner, options: NetworkOptions): Promise<void> {
  await withStackLock(spec.stack, async () => {
    await checkOwner(spec, owner);
    await removeTree(segmentRecord(spec.stack, spec.name));
  });
  await shrinkNetwork(spec.stack, options);
}

async function checkOwner(spec: SegmentSpec, owner: Owner): Promise<SegmentRecord | undefined> {
  const known = await inspectSegment(spec);
  if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`segment ${spec.name}`, known.owner);
  return known;
}
