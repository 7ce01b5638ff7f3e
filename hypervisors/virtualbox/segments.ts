import type { Host } from "../../model/host";
import {
  ForeignObjectError,
  isOwner,
  type MachineSpec,
  type Owner,
  requireSegments,
  type SegmentAttachment,
  type SegmentSpec,
} from "../hypervisor";
import { removeAllSnapshots } from "../snapshots/snapshot-files";
import { type Plug, plugOptions, plugText, shownPlug, wantedAdapters } from "./adapters";
import { type Attached, detachSegment, ensureAttached, isSameAttachment } from "./attachments";
import * as commands from "./commands";
import { endConsoleLimit } from "./console-limit";
import { groupFolder, lockFile, machinesFolder, segmentRecord, segmentsFolder, vmsFolder } from "./folders";
import { readComplete } from "./machine-record";
import type { Session, VirtualBox } from "./vboxmanage";
import { isBusy } from "./vm-state";

/** An internal network is not created explicitly. The record contains its owner and the network that it connects to. */
export interface SegmentRecord {
  readonly owner: Owner;
  readonly attachment?: SegmentAttachment;
  /** Absent while an attachment is being created. */
  readonly attached?: Attached;
}

const withStackLock = <T>(host: Host, stack: string, action: () => Promise<T>): Promise<T> =>
  host.locks.withLock(lockFile(host, `stack-${stack}`), action, { timeoutMs: 900_000 });

export async function ensureSegment(box: VirtualBox, spec: SegmentSpec, owner: Owner): Promise<void> {
  await withStackLock(box.host, spec.stack, async () => {
    const before = await ownedRecord(box.host, spec, owner);
    const { attachment } = spec;
    const record: SegmentRecord = attachment ? { owner, attachment } : { owner };
    const isAsWanted = before !== undefined && isSameAttachment(before.attachment, attachment);
    // The host object of the old attachment is removed after the adapters were moved.
    const old = isAsWanted ? undefined : before?.attached;
    const file = segmentRecord(box.host, spec.stack, spec.name);
    await box.host.files.writeJson(file, { ...record, ...(before?.attached ? { attached: before.attached } : {}) });
    if (!attachment && !old) return box.host.files.writeJson(file, record);
    const dialect = await box.dialect();
    await box.session(async (session) => {
      const attached = await ensureAttached(session, dialect, spec, before?.attached);
      await box.host.files.writeJson(file, { ...record, attached } satisfies SegmentRecord);
      await replug(box.host, session, spec, attached.plug);
      if (old) await detachSegment(session, old);
    });
  });
}

export async function inspectSegment(host: Host, spec: SegmentSpec): Promise<SegmentRecord | undefined> {
  return host.files.readJson<SegmentRecord>(segmentRecord(host, spec.stack, spec.name));
}

export async function removeSegment(box: VirtualBox, spec: SegmentSpec, owner: Owner): Promise<void> {
  await withStackLock(box.host, spec.stack, async () => {
    const { attached } = (await ownedRecord(box.host, spec, owner)) ?? {};
    if (attached?.made !== undefined) await box.session((session) => detachSegment(session, attached));
    await box.host.files.remove(segmentRecord(box.host, spec.stack, spec.name));
  });
  await releaseStack(box.host, spec.stack);
}

/** Removes the stack's folders that are empty. */
export async function releaseStack(host: Host, stack: string): Promise<void> {
  await withStackLock(host, stack, async () => {
    const folders = [
      groupFolder(host, stack),
      vmsFolder(host, stack),
      segmentsFolder(host, stack),
      machinesFolder(host, stack),
    ];
    if (
      (await segmentNames(host, stack)).length === 0 &&
      (await host.files.list(machinesFolder(host, stack))).length === 0
    )
      await removeAllSnapshots(host, stack);
    for (const folder of folders) await host.files.removeIfEmpty(folder);
    await endConsoleLimit(host, stack);
    await host.files.removeIfEmpty(host.folders.stack(stack));
  });
}

export async function segmentNames(host: Host, stack: string): Promise<readonly string[]> {
  const files = await host.files.list(segmentsFolder(host, stack));
  return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
}

/** The networks of segments that have an attachment. */
export async function plugsOf(host: Host, stack: string): Promise<ReadonlyMap<string, Plug>> {
  const plugs = new Map<string, Plug>();
  for (const name of await segmentNames(host, stack)) {
    const record = await inspectSegment(host, { stack, name });
    if (record?.attached) plugs.set(name, record.attached.plug);
  }
  return plugs;
}

/** @throws UserError if the machine has an adapter in a segment that does not exist */
export async function checkSegments(host: Host, spec: MachineSpec): Promise<void> {
  requireSegments(spec, await segmentNames(host, spec.stack));
}

async function ownedRecord(host: Host, spec: SegmentSpec, owner: Owner): Promise<SegmentRecord | undefined> {
  const known = await inspectSegment(host, spec);
  if (known && !isOwner(known.owner, owner)) throw new ForeignObjectError(`segment ${spec.name}`, known.owner);
  return known;
}

/** Connects the adapters of a segment's machines to its current attachment, even while the machines run. */
export async function replug(
  host: Host,
  session: Session,
  { stack, name: segment }: SegmentSpec,
  plug: Plug,
): Promise<void> {
  if (plug.kind === "nat") return;
  for (const name of await host.files.list(machinesFolder(host, stack))) {
    const record = await readComplete(host, { stack, name });
    const adapter =
      record && wantedAdapters(record.spec, new Map([[segment, plug]])).find((a) => a.segment === segment);
    const info = adapter && (await session.vm(record.spec.uuid));
    if (!adapter || !info || shownPlug(info, adapter.slot) === plugText(plug)) continue;
    const { uuid } = record.spec;
    if (isBusy(info)) await session.call(commands.replugLive(uuid, adapter.slot, plug.kind, plug.network));
    else await session.call(commands.modifyVm(uuid, plugOptions(adapter)));
  }
}
