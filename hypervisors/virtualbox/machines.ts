import * as path from "node:path";
import type { Host } from "../../model/host";
import { shutdownMs } from "../../model/hypervisor-objects";
import { UserError } from "../../model/user-error";
import {
  ImageMissingError,
  type MachineName,
  type MachineSpec,
  type MachineState,
  type Owner,
  type SeedFiles,
} from "../hypervisor";
import { type Plug, wantedAdapters } from "./adapters";
import type { Once } from "./command-kinds";
import * as commands from "./commands";
import { apply, begin, type Converging } from "./converge-machine";
import { isOurs } from "./find-vm";
import { lockFile, machineFiles, machinesFolder, vmsFolder } from "./folders";
import { type ConvertedImage, inspectImage, LOOK_MS, readConverted } from "./images";
import { stopOrderly } from "./machine-power";
import { type MachineRecord, ownedRecord, readComplete, writeRecord } from "./machine-record";
import { checkMachine, vmGroup, vmName } from "./names";
import type { Medium, VmInfo } from "./parse-output";
import type { WantedMachine } from "./plan-changes";
import { readBack } from "./read-back";
import { removeEverything } from "./remove-machine";
import { writeSeed } from "./seed-file";
import { checkSegments, plugsOf, releaseStack } from "./segments";
import type { Session, VirtualBox } from "./vboxmanage";
import { isRunning, vmState } from "./vm-state";

/** Allows one change of a machine at a time. */
export const withMachineLock = <T>(host: Host, machine: MachineName, action: () => Promise<T>): Promise<T> =>
  host.locks.withLock(lockFile(host, `machine-${machine.stack}.${machine.name}`), action, { timeoutMs: 900_000 });

export async function ensureMachine(
  box: VirtualBox,
  wantedSpec: MachineSpec,
  seed: SeedFiles,
  owner: Owner,
  announce: (text: string) => void = () => {},
): Promise<MachineState> {
  const spec = plain(wantedSpec);
  checkMachine(spec);
  return withMachineLock(box.host, spec, async () => {
    const image = await inspectImage(box, spec.image);
    if (!image) throw new ImageMissingError(spec.image);
    await checkSegments(box.host, spec);
    await ownedRecord(box.host, spec, owner);
    const plugs = await plugsOf(box.host, spec.stack);
    const seedName = await writeSeed(box.host, spec, seed);
    await box.host.files.makeFolder(vmsFolder(box.host, spec.stack), 0o700);
    const creation = commands.createVm(newVm(box.host, spec), await box.dialect());
    const prepare = async (session: Session): Promise<Converging> => {
      const begun = await begin(box.host, session, spec, owner, seedName, image);
      return { ...begun, wanted: wantedMachine(box.host, begun.record, plugs, image, creation) };
    };
    let seen = await box.session(async (session) => apply(box.host, session, await prepare(session)));
    if (seen.stopFor.length > 0) {
      announce(`${spec.name} is shut down for a change: ${seen.stopFor.join("; ")}`);
      await stopOrderly(box, spec, shutdownMs(spec));
      seen = await box.session(async (session) => apply(box.host, session, await prepare(session)));
      if (seen.stopFor.length > 0) throw changedMeanwhile(spec, seen.stopFor);
    }
    const record = { ...seen.record, complete: true };
    await writeRecord(box.host, record);
    return stateOf(box.host, record, plugs, seen, image);
  });
}

export async function inspectMachine(box: VirtualBox, machine: MachineName): Promise<MachineState | undefined> {
  const record = await readComplete(box.host, machine);
  if (!record) return undefined;
  const { info, media } = await box.session(async (session) => ({
    info: await session.vm(record.spec.uuid),
    media: await session.media(LOOK_MS),
  }));
  // A machine with unreadable settings has no state.
  if (!info || vmState(info) === "" || !isOurs(box.host, machine, info)) return undefined;
  return stateOf(
    box.host,
    record,
    await plugsOf(box.host, machine.stack),
    { info, media },
    await readConverted(box.host, record.spec.image),
  );
}

export async function removeMachine(box: VirtualBox, machine: MachineName, owner: Owner): Promise<void> {
  await withMachineLock(box.host, machine, () => removeEverything(box, machine, owner));
  await releaseStack(box.host, machine.stack);
}

export async function listMachines(host: Host, stack: string): Promise<readonly MachineName[]> {
  return (await host.files.list(machinesFolder(host, stack))).map((name) => ({ stack, name }));
}

const changedMeanwhile = (spec: MachineSpec, reasons: readonly string[]): UserError =>
  new UserError(
    "machine-started-meanwhile",
    `${spec.name} was shut down for a change and started again by another program: ${reasons.join("; ")}`,
    "leave the machine alone and run the command again",
  );

const newVm = (host: Host, spec: MachineSpec): commands.NewVm => ({
  name: vmName(spec),
  uuid: spec.uuid,
  group: vmGroup(spec.stack),
  folder: vmsFolder(host, spec.stack),
});

const wantedMachine = (
  host: Host,
  record: MachineRecord,
  plugs: ReadonlyMap<string, Plug>,
  image: ConvertedImage,
  creation: Once,
): WantedMachine => ({
  record,
  adapters: wantedAdapters(record.spec, plugs),
  image: image.uuid,
  files: filesOf(host, record),
  creation,
});

function filesOf(host: Host, { spec, seed }: MachineRecord) {
  const { folder, consoleLog, systemDisk } = machineFiles(host, spec);
  return { consoleLog, systemDisk, seed: path.join(folder, seed) };
}

function stateOf(
  host: Host,
  record: MachineRecord,
  plugs: ReadonlyMap<string, Plug>,
  { info, media }: { readonly info: VmInfo; readonly media: readonly Medium[] },
  image: ConvertedImage | undefined,
): MachineState {
  const { owner, generation, spec } = record;
  const known = { spec, adapters: wantedAdapters(spec, plugs), image: image?.uuid, files: filesOf(host, record) };
  const read = readBack(host, known, info, media);
  const state = { spec: read.spec, owner, generation, power: isRunning(info) ? "running" : "stopped" } as const;
  return read.drift.length > 0 ? { ...state, drift: read.drift } : state;
}

/** The spec in the form that the record stores: without members that are `undefined`. */
const plain = (spec: MachineSpec): MachineSpec => JSON.parse(JSON.stringify(spec)) as MachineSpec;
