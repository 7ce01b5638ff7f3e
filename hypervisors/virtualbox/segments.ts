import { stackFolder } from "../../host/data-folder";
import { withFileLock } from "../../host/file-lock";
import { listFolder, readJson, removeIfEmpty, removeTree, writeJson } from "../../host/file-store";
import { UserError } from "../../model/user-error";
import {
  ForeignObjectError,
  type MachineSpec,
  type Owner,
  type SegmentAttachment,
  type SegmentSpec,
} from "../hypervisor";
import { isOwner } from "../ownership";
import type { Plug } from "./adapters";
import { type Attached, detachSegment, ensureAttached, isSameAttachment } from "./attachments";
import { groupFolder, lockFile, machinesFolder, segmentRecord, segmentsFolder, vmsFolder } from "./folders";
import { replug } from "./replug";
import type { VirtualBox } from "./vboxmanage";

/** An internal network needs no making: the record says whose it is, and what its cables are plugged into. */
export interface SegmentRecord {
  readonly owner: Owner;
  readonly attachment?: SegmentAttachment;
  /** Absent while an attachment is being made. */
  readonly attached?: Attached;
}

const withStackLock = <T>(stack: string, action: () => Promise<T>): Promise<T> =>
  withFileLock(lockFile(`stack-${stack}`), action, { timeoutMs: 900_000 });

export async function ensureSegment(box: VirtualBox, spec: SegmentSpec, owner: Owner): Promise<void> {
  await withStackLock(spec.stack, async () => {
    const before = await ownedRecord(spec, owner);
    const { attachment } = spec;
    const record: SegmentRecord = attachment ? { owner, attachment } : { owner };
    const isAsWanted = before !== undefined && isSameAttachment(before.attachment, attachment);
    // Whatever the host has for the old one goes with it, but after the cables.
    const old = isAsWanted ? undefined : before?.attached;
    const file = segmentRecord(spec.stack, spec.name);
    await writeJson(file, { ...record, ...(before?.attached ? { attached: before.attached } : {}) });
    if (!attachment && !old) return writeJson(file, record);
    const dialect = await box.dialect();
    await box.session(async (session) => {
      const attached = await ensureAttached(session, dialect, spec, before?.attached);
      await writeJson(file, { ...record, attached } satisfies SegmentRecord);
      await replug(session, spec, attached.plug);
      if (old) await detachSegment(session, old);
    });
  });
}

export async function inspectSegment(spec: SegmentSpec): Promise<SegmentRecord | undefined> {
  return readJson<SegmentRecord>(segmentRecord(spec.stack, spec.name));
}

export async function removeSegment(box: VirtualBox, spec: SegmentSpec, owner: Owner): Promise<void> {
  await withStackLock(spec.stack, async () => {
    const { attached } = (await ownedRecord(spec, owner)) ?? {};
    if (attached?.made !== undefined) await box.session((session) => detachSegment(session, attached));
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

async function segmentNames(stack: string): Promise<readonly string[]> {
  const files = await listFolder(segmentsFolder(stack));
  return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
}

/** Segments that are more than an internal network, and what their cables are plugged into. */
export async function plugsOf(stack: string): Promise<ReadonlyMap<string, Plug>> {
  const plugs = new Map<string, Plug>();
  for (const name of await segmentNames(stack)) {
    const record = await inspectSegment({ stack, name });
    if (record?.attached) plugs.set(name, record.attached.plug);
  }
  return plugs;
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

async function ownedRecord(spec: SegmentSpec, owner: Owner): Promise<SegmentRecord | undefined> {
  const known = await inspectSegment(spec);
  if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`segment ${spec.name}`, known.owner);
  return known;
}
