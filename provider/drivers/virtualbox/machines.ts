import { randomUUID } from "node:crypto";
import * as path from "node:path";
import { withFileLock } from "../../host/file-lock";
import { listFolder, makeFolder } from "../../host/file-store";
import { UserError } from "../../host/user-error";
import {
  ImageMissingError,
  type MachineName,
  type MachineSpec,
  type MachineState,
  type Owner,
  type SeedFiles,
} from "../../hypervisor";
import { wantedAdapters } from "./adapters";
import * as commands from "./commands";
import { findVm, isOurs, mustBeMarked } from "./find-vm";
import { lockFile, machineFiles, machinesFolder, vmsFolder } from "./folders";
import { type ConvertedImage, inspectImage, LOOK_MS, readConverted } from "./images";
import { stopOrderly } from "./machine-power";
import { type MachineRecord, ownedRecord, readComplete, writeRecord } from "./machine-record";
import { checkMachine, vmGroup, vmName } from "./names";
import type { Medium, VmInfo } from "./parse-output";
import { type ObservedMachine, planChanges, type WantedMachine } from "./plan-changes";
import { readBack } from "./read-back";
import { clearDebris, removeEverything, tearDown } from "./remove-machine";
import { checkSegments, releaseStack } from "./segments";
import { forgetOtherSeeds, writeSeed } from "./seed-file";
import { mediumAt } from "./storage";
import type { Session, VirtualBox } from "./vboxmanage";
import { isRunning, vmState } from "./vm-state";

/** How long a machine may take to shut down when a change of its settings needs it stopped. */
const STOP_DEADLINE_MS = 30_000;

/** One change of a machine at a time, whoever asks. */
export const withMachineLock = <T>(machine: MachineName, action: () => Promise<T>): Promise<T> =>
  withFileLock(lockFile(`machine-${machine.stack}.${machine.name}`), action, { timeoutMs: 900_000 });

export async function ensureMachine(
  box: VirtualBox,
  wantedSpec: MachineSpec,
  seed: SeedFiles,
  owner: Owner,
  announce: (text: string) => void = () => {},
): Promise<MachineState> {
  const spec = plain(wantedSpec);
  checkMachine(spec);
  return withMachineLock(spec, async () => {
    const image = await inspectImage(box, spec.image);
    if (!image) throw new ImageMissingError(spec.image);
    await checkSegments(spec);
    await ownedRecord(spec, owner);
    const seedName = await writeSeed(spec, seed);
    await makeFolder(vmsFolder(spec.stack), 0o700);
    const creation = commands.createVm(newVm(spec), await box.dialect());
    const prepare = async (session: Session): Promise<Converging> => {
      const begun = await begin(session, spec, owner, seedName, image);
      return { ...begun, wanted: wantedMachine(begun.record, image, creation) };
    };
    let seen = await box.session(async (session) => apply(session, await prepare(session)));
    if (seen.stopFor.length > 0) {
      announce(`${spec.name} is shut down for a change: ${seen.stopFor.join("; ")}`);
      await stopOrderly(box, spec, STOP_DEADLINE_MS);
      seen = await box.session(async (session) => apply(session, await prepare(session)));
      if (seen.stopFor.length > 0) throw changedMeanwhile(spec, seen.stopFor);
    }
    const record = { ...seen.record, complete: true };
    await writeRecord(record);
    return stateOf(record, seen.info, seen.media, image);
  });
}

export async function inspectMachine(box: VirtualBox, machine: MachineName): Promise<MachineState | undefined> {
  const record = await readComplete(machine);
  if (!record) return undefined;
  const { info, media } = await box.session(async (session) => ({
    info: await session.vm(record.spec.uuid),
    media: await session.media(LOOK_MS),
  }));
  // One whose settings cannot be read has no state.
  if (!info || vmState(info) === "" || !isOurs(machine, info)) return undefined;
  return stateOf(record, info, media, await readConverted(record.spec.image));
}

export async function removeMachine(box: VirtualBox, machine: MachineName, owner: Owner): Promise<void> {
  await withMachineLock(machine, () => removeEverything(box, machine, owner));
  await releaseStack(machine.stack);
}

export async function listMachines(stack: string): Promise<readonly MachineName[]> {
  return (await listFolder(machinesFolder(stack))).map((name) => ({ stack, name }));
}

interface Begun {
  readonly record: MachineRecord;
  readonly info: VmInfo | undefined;
  readonly media: readonly Medium[];
}
interface Converging extends Begun {
  readonly wanted: WantedMachine;
}

/** Finds out what there is of the machine, and marks it as ours; what cannot be kept goes. */
async function begin(
  session: Session,
  spec: MachineSpec,
  owner: Owner,
  seed: string,
  image: ConvertedImage,
): Promise<Begun> {
  const known = await ownedRecord(spec, owner);
  const found = await findVm(session, spec, spec.uuid);
  const mark = found && !known ? await mustBeMarked(session, spec, spec.uuid, owner) : undefined;
  const media = found ? await session.media() : [];
  if (found && isKeepable(spec, known, media, image)) {
    const generation = known?.generation ?? mark?.generation ?? randomUUID();
    const record = { owner, generation, spec, seed, complete: known?.complete ?? false };
    await writeRecord(record);
    return { record, info: found.info, media };
  }
  // A machine that was finished and is made anew is another one; one that never was is still the same.
  const generation = known && !known.complete ? known.generation : randomUUID();
  const record = { owner, generation, spec, seed, complete: false };
  await writeRecord(record);
  if (found) await tearDown(session, spec);
  else if (known) await clearDebris(session, spec);
  return { record, info: undefined, media: [] };
}

/** Its system disk can be read and is based on the image that is wanted, or it has none yet. */
function isKeepable(
  spec: MachineSpec,
  known: MachineRecord | undefined,
  media: readonly Medium[],
  image: ConvertedImage,
): boolean {
  if (known && known.spec.image !== spec.image) return false;
  const system = mediumAt(media, machineFiles(spec).systemDisk);
  if (system === undefined) return known?.complete !== true;
  return system.state === "created" && system.parent === image.uuid;
}

interface Applied extends Begun {
  readonly info: VmInfo;
  /** Not empty: nothing was done, because the machine has to be stopped first. */
  readonly stopFor: readonly string[];
}

/** read → diff → plan → apply → read again → nothing left to do. */
async function apply(session: Session, { record, wanted, ...observed }: Converging): Promise<Applied> {
  const changes = planChanges(wanted, observed);
  if (observed.info && changes.stopFor.length > 0) {
    return { record, info: observed.info, media: observed.media, stopFor: changes.stopFor };
  }
  for (const call of changes.calls) await session.call(call, { done: () => isDone(session, wanted, call) });
  await forgetOtherSeeds(session, record);
  if (observed.info && changes.calls.length === 0) {
    return { record, info: observed.info, media: observed.media, stopFor: [] };
  }
  const info = await session.vm(record.spec.uuid);
  const media = await session.media();
  if (!info) throw notTaken(record.spec, ["it is not registered"]);
  assertDone({ ...wanted, record: { ...record, complete: true } }, { info, media });
  return { record, info, media, stopFor: [] };
}

/** Has a call that failed, and may be made again, done its work after all? */
async function isDone(session: Session, wanted: WantedMachine, call: commands.Argv): Promise<boolean> {
  if (call === wanted.creation) return (await session.vm(wanted.record.spec.uuid)) !== undefined;
  if (call[0] !== "createmedium") return false;
  return mediumAt(await session.media(), wanted.files.systemDisk) !== undefined;
}

function assertDone(wanted: WantedMachine, observed: ObservedMachine): void {
  const { calls } = planChanges(wanted, observed);
  if (calls.length > 0) {
    throw notTaken(
      wanted.record.spec,
      calls.map((call) => call.join(" ")),
    );
  }
}

const notTaken = (spec: MachineSpec, left: readonly string[]): UserError =>
  new UserError(
    "virtualbox-not-taken",
    `VirtualBox reported success, but of ${spec.name} this is not done:\n  ${left.join("\n  ")}`,
    "is the disk full? Run the command again; if it stays, look at the machine in VirtualBox' manager",
  );

const changedMeanwhile = (spec: MachineSpec, reasons: readonly string[]): UserError =>
  new UserError(
    "machine-started-meanwhile",
    `${spec.name} was shut down for a change and started again by somebody else: ${reasons.join("; ")}`,
    "leave the machine alone and run the command again",
  );

const newVm = (spec: MachineSpec): commands.NewVm => ({
  name: vmName(spec),
  uuid: spec.uuid,
  group: vmGroup(spec.stack),
  folder: vmsFolder(spec.stack),
});

const wantedMachine = (record: MachineRecord, image: ConvertedImage, creation: commands.Argv): WantedMachine => ({
  record,
  adapters: wantedAdapters(record.spec),
  image: image.uuid,
  files: filesOf(record),
  creation,
});

function filesOf({ spec, seed }: MachineRecord) {
  const { folder, consoleLog, systemDisk } = machineFiles(spec);
  return { consoleLog, systemDisk, seed: path.join(folder, seed) };
}

function stateOf(
  record: MachineRecord,
  info: VmInfo,
  media: readonly Medium[],
  image: ConvertedImage | undefined,
): MachineState {
  const { owner, generation, spec } = record;
  const known = { spec, adapters: wantedAdapters(spec), image: image?.uuid, files: filesOf(record) };
  const read = readBack(known, info, media);
  const state = { spec: read.spec, owner, generation, power: isRunning(info) ? "running" : "stopped" } as const;
  return read.drift.length > 0 ? { ...state, drift: read.drift } : state;
}

/** As the record reads back: without members that are `undefined`. */
const plain = (spec: MachineSpec): MachineSpec => JSON.parse(JSON.stringify(spec)) as MachineSpec;
