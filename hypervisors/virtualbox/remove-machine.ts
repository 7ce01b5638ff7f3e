import * as path from "node:path";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { ForeignObjectError, type MachineName, type Owner } from "../hypervisor";
import * as commands from "./commands";
import { findVm, mustBeMarked } from "./find-vm";
import { groupFolder, machineFiles } from "./folders";
import { VirtualBoxError } from "./known-issues";
import { endNow, type IdentifiedMachine } from "./machine-power";
import { ownedRecord, writeRecord } from "./machine-record";
import { SYSTEM_PORT } from "./names";
import type { Medium, VmInfo } from "./parse-output";
import { isBelow, occupiedSlots } from "./storage";
import type { Session, VirtualBox } from "./vboxmanage";

/** Removes the machine and all its objects, including those that a killed process left. */
export async function removeEverything(box: VirtualBox, machine: MachineName, owner: Owner): Promise<void> {
  const record = await ownedRecord(box.host, machine, owner);
  const { folder, vmFolder } = machineFiles(box.host, machine);
  const nothingKnown =
    record === undefined && !(await box.host.files.exists(folder)) && !(await box.host.files.exists(vmFolder));
  if (nothingKnown) return;
  // Marked as incomplete, so that an interrupted removal does not leave a machine that counts as startable.
  if (record) await writeRecord(box.host, { ...record, complete: false });
  await box.session(async (session) => {
    const found = await findVm(box.host, session, machine, record?.spec.uuid);
    if (found && !record) await mustBeMarked(session, machine, found.uuid, owner);
    if (found) await tearDown(box.host, session, { ...machine, uuid: found.uuid });
    else await clearDebris(box.host, session, { ...machine, uuid: record?.spec.uuid });
    await forgetSeeds(box.host, session, machine);
  });
  await box.host.files.remove(folder);
}

/** Detaches data disks first, because VirtualBox deletes every disk that is still attached. */
export async function tearDown(host: Host, session: Session, machine: IdentifiedMachine): Promise<void> {
  const { uuid } = machine;
  await endNow(host, session, machine);
  await deleteSnapshots(session, uuid);
  for (const { port } of slotsToKeep(await session.vm(uuid))) await session.call(commands.detach(uuid, port));
  const left = occupiedSlots((await session.vm(uuid)) ?? nothing);
  const foreign = left.find(({ file }) => !isBelow(machineFiles(host, machine).vmFolder, file));
  if (foreign) throw stillAttached(machine, foreign.file);
  // The call also succeeds if the deletion of files failed after the machine was unregistered.
  await session.call(commands.deleteVm(uuid));
  await clearDebris(host, session, machine);
}

const nothing: VmInfo = { values: new Map(), forwards: new Map() };
const slotsToKeep = (info = nothing) => occupiedSlots(info).filter(({ port }) => port !== SYSTEM_PORT);

/** A snapshot keeps all disks of its time attached, including data disks. */
async function deleteSnapshots(session: Session, uuid: string): Promise<void> {
  for (;;) {
    const values = (await session.vm(uuid))?.values ?? new Map<string, string>();
    // The deepest snapshot has the longest key.
    const [newest] = [...values]
      .filter(([key]) => /^SnapshotUUID(?:-\d+)*$/.test(key))
      .sort(([a], [b]) => b.length - a.length);
    if (!newest) return;
    await session.call(commands.deleteSnapshot(uuid, newest[1]), { timeoutMs: 30 * 60_000 });
  }
}

/**
 * Removes what an unregistered machine left: media that are still listed, and its folder.
 * @throws ForeignObjectError if the settings file in the folder belongs to another machine
 */
export async function clearDebris(
  host: Host,
  session: Session,
  machine: MachineName & { readonly uuid: string | undefined },
): Promise<void> {
  const { vmFolder, settings } = machineFiles(host, machine);
  const text = await host.files.readText(settings);
  const owner = text === undefined ? undefined : /<Machine [^>]*uuid="\{([0-9a-f-]{36})\}"/.exec(text)?.[1];
  if (owner !== undefined && machine.uuid !== undefined && owner !== machine.uuid) {
    throw new ForeignObjectError(`the settings file ${settings}`, undefined);
  }
  const listed = (await session.media()).filter(({ location }) => isBelow(vmFolder, location));
  for (const medium of childrenFirst(listed)) await session.call(commands.forgetDisk(medium.uuid));
  await host.files.remove(vmFolder);
  await host.files.removeIfEmpty(groupFolder(host, machine.stack));
}

function childrenFirst(media: readonly Medium[]): readonly Medium[] {
  const depth = (medium: Medium): number => {
    const parent = media.find(({ uuid }) => uuid === medium.parent);
    return parent ? depth(parent) + 1 : 0;
  };
  return [...media].sort((a, b) => depth(b) - depth(a));
}

/** Unregisters the seeds, because VirtualBox keeps every CD image in its registry. */
async function forgetSeeds(host: Host, session: Session, machine: MachineName): Promise<void> {
  const { folder } = machineFiles(host, machine);
  for (const name of await host.files.list(folder)) {
    if (name.endsWith(".iso")) await forgetSeed(host, session, path.join(folder, name));
  }
}

/** Removes a seed's registration and its file. */
export async function forgetSeed(host: Host, session: Session, file: string): Promise<void> {
  try {
    await session.call(commands.forgetSeed(file));
  } catch (error) {
    if (!(error instanceof VirtualBoxError) || error.id === "medium-in-use") throw error;
  }
  await host.files.remove(file);
}

const stillAttached = (machine: MachineName, file: string): UserError =>
  new UserError(
    "disk-still-attached",
    `${file} is still attached to ${machine.name}, and would be deleted with it`,
    "detach it in VirtualBox's manager, then run the command again",
  );
