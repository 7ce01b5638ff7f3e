import type { Host } from "../../model/host";
import { ForeignObjectError, type Owner, type SegmentSpec } from "../hypervisor";
import { isOwner } from "../ownership";
import { segmentRecord } from "./folders";
import { ensureNetwork, type NetworkOptions, shrinkNetwork, withStackLock } from "./network";

interface SegmentRecord {
  readonly owner: Owner;
}

export async function ensureSegment(
  host: Host,
  spec: SegmentSpec,
  owner: Owner,
  options: NetworkOptions,
): Promise<void> {
  await withStackLock(host, spec.stack, async () => {
    await checkOwner(host, spec, owner);
    await host.files.writeJson(segmentRecord(host, spec.stack, spec.name), { owner } satisfies SegmentRecord);
  });
  await ensureNetwork(host, spec.stack, options);
}

export function inspectSegment(host: Host, spec: SegmentSpec): Promise<SegmentRecord | undefined> {
  return host.files.readJson<SegmentRecord>(segmentRecord(host, spec.stack, spec.name));
}

export async function removeSegment(
  host: Host,
  spec: SegmentSpec,
  owner: Owner,
  options: NetworkOptions,
): Promise<void> {
  await withStackLock(host, spec.stack, async () => {
    await checkOwner(host, spec, owner);
    await host.files.remove(segmentRecord(host, spec.stack, spec.name));
  });
  await shrinkNetwork(host, spec.stack, options);
}

async function checkOwner(host: Host, spec: SegmentSpec, owner: Owner): Promise<SegmentRecord | undefined> {
  const known = await inspectSegment(host, spec);
  if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`segment ${spec.name}`, known.owner);
  return known;
}
