import { randomUUID } from "node:crypto";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { MachineSpec, Owner } from "../hypervisor";
import { findVm, mustBeMarked } from "./find-vm";
import { machineFiles } from "./folders";
import type { ConvertedImage } from "./images";
import { type MachineRecord, ownedRecord, writeRecord } from "./machine-record";
import type { Medium, VmInfo } from "./parse-output";
import { type ObservedMachine, planChanges, type WantedMachine } from "./plan-changes";
import { clearDebris, tearDown } from "./remove-machine";
import { forgetOtherSeeds } from "./seed-file";
import { isReadable, mediumAt } from "./storage";
import type { Session } from "./vboxmanage";

export interface Begun {
  readonly record: MachineRecord;
  readonly info: VmInfo | undefined;
  readonly media: readonly Medium[];
}
export interface Converging extends Begun {
  readonly wanted: WantedMachine;
}

/** Finds the existing parts of the machine, records the owner, and removes a machine that cannot be kept. */
export async function begin(
  host: Host,
  session: Session,
  spec: MachineSpec,
  owner: Owner,
  seed: string,
  image: ConvertedImage,
): Promise<Begun> {
  const known = await ownedRecord(host, spec, owner);
  const found = await findVm(host, session, spec, spec.uuid);
  const mark = found && !known ? await mustBeMarked(session, spec, spec.uuid, owner) : undefined;
  const media = found ? await session.media() : [];
  if (found && isKeepable(host, spec, known, media, image)) {
    const generation = known?.generation ?? mark?.generation ?? randomUUID();
    const record = { owner, generation, spec, seed, complete: known?.complete ?? false };
    await writeRecord(host, record);
    return { record, info: found.info, media };
  }
  // A complete machine that is recreated has a new generation; an incomplete one keeps it.
  const generation = known && !known.complete ? known.generation : randomUUID();
  const record = { owner, generation, spec, seed, complete: false };
  await writeRecord(host, record);
  if (found) await tearDown(host, session, spec);
  else if (known) await clearDebris(host, session, spec);
  return { record, info: undefined, media: [] };
}

/** Whether its system disk is readable and based on the wanted image, or does not exist yet. */
function isKeepable(
  host: Host,
  spec: MachineSpec,
  known: MachineRecord | undefined,
  media: readonly Medium[],
  image: ConvertedImage,
): boolean {
  if (known && known.spec.image !== spec.image) return false;
  const system = mediumAt(media, machineFiles(host, spec).systemDisk);
  if (system === undefined) return known?.complete !== true;
  return isReadable(system) && system.parent === image.uuid;
}

export interface Applied extends Begun {
  readonly info: VmInfo;
  /** If not empty, nothing was changed, because the machine must be stopped first. */
  readonly stopFor: readonly string[];
}

/** read → diff → plan → apply → read again → no changes left. */
export async function apply(
  host: Host,
  session: Session,
  { record, wanted, ...observed }: Converging,
): Promise<Applied> {
  const changes = planChanges(host, wanted, observed);
  if (observed.info && changes.stopFor.length > 0) {
    return { record, info: observed.info, media: observed.media, stopFor: changes.stopFor };
  }
  for (const call of changes.calls) await session.call(call);
  await forgetOtherSeeds(host, session, record);
  if (observed.info && changes.calls.length === 0) {
    return { record, info: observed.info, media: observed.media, stopFor: [] };
  }
  const info = await session.vm(record.spec.uuid);
  const media = await session.media();
  if (!info) throw notTaken(record.spec, ["it is not registered"]);
  assertDone(host, { ...wanted, record: { ...record, complete: true } }, { info, media });
  return { record, info, media, stopFor: [] };
}

function assertDone(host: Host, wanted: WantedMachine, observed: ObservedMachine): void {
  const { calls } = planChanges(host, wanted, observed);
  if (calls.length > 0) {
    throw notTaken(
      wanted.record.spec,
      calls.map(({ argv }) => argv.join(" ")),
    );
  }
}

const notTaken = (spec: MachineSpec, left: readonly string[]): UserError =>
  new UserError(
    "virtualbox-not-taken",
    `VirtualBox reported success, but these settings of ${spec.name} were not applied:\n  ${left.join("\n  ")}`,
    "is the disk full? Run the command again; if it persists, inspect the machine in VirtualBox Manager",
  );
