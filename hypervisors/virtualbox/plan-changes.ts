import type { Host } from "../../model/host";
import type { MachineSpec } from "../hypervisor";
import type { Adapter } from "./adapters";
import type { Change, Once, Repeatable } from "./command-kinds";
import * as commands from "./commands";
import { type ForwardChanges, isForward } from "./forwards";
import { MARK, type MachineRecord, markOf } from "./machine-record";
import {
  describeDifference,
  differingSettings,
  type Setting,
  unreadableOptions,
  wantedSettings,
} from "./machine-settings";
import { FIRST_DATA_PORT, SEED_PORT, SYSTEM_PORT } from "./names";
import type { Medium, VmInfo } from "./parse-output";
import { hasController, isInSlot, mediumAt, occupiedSlots, type Slot, wantedDataDisks } from "./storage";
import { isBusy, isSaved } from "./vm-state";

/** The desired state of a machine. */
export interface WantedMachine {
  readonly record: MachineRecord;
  readonly adapters: readonly Adapter[];
  /** UUID of the image's medium, which the system disk is linked to. */
  readonly image: string;
  readonly files: { readonly consoleLog: string; readonly systemDisk: string; readonly seed: string };
  /** The command that registers a new machine. */
  readonly creation: Once;
}

/** The actual state; `info` is `undefined` if the machine is not registered. */
export interface ObservedMachine {
  readonly info: VmInfo | undefined;
  readonly media: readonly Medium[];
}

export interface Changes {
  /** The reasons why the machine must be stopped first, for messages; empty if it can keep running. */
  readonly stopFor: readonly string[];
  /** In order. After a failure, the calls are planned again from the actual state. */
  readonly calls: readonly Change[];
}

/** The calls that bring the machine from its actual to its desired state. Pure. */
export function planChanges(host: Host, wanted: WantedMachine, observed: ObservedMachine): Changes {
  const { info } = observed;
  if (info === undefined) return { stopFor: [], calls: creationCalls(host, wanted) };
  const busy = isBusy(info);
  const differing = differingSettings(settingsOf(wanted), info);
  const fixed = differing.filter(({ live }) => !live);
  const storage = storageChanges(host, wanted, observed, info);
  const settings =
    busy && fixed.length === 0 ? liveCalls(wanted, differing, info) : stillCalls(wanted, differing, info);
  const stopFor = busy ? [...fixed.map((setting) => describeDifference(setting, info)), ...storage.stopFor] : [];
  const calls = [
    ...(isSaved(info) && (settings.length > 0 || storage.stopFor.length > 0)
      ? [commands.discardSavedState(wanted.record.spec.uuid)]
      : []),
    ...(wanted.record.complete ? [] : [markCall(wanted.record)]),
    ...settings,
    ...storage.calls,
  ];
  return { stopFor, calls };
}

const settingsOf = ({ record, adapters, files }: WantedMachine): readonly Setting[] =>
  wantedSettings(record.spec, adapters, files.consoleLog);

const markCall = (record: MachineRecord): Repeatable => commands.mark(record.spec.uuid, MARK, markOf(record));

function creationCalls(host: Host, wanted: WantedMachine): readonly Change[] {
  const { record, image, files } = wanted;
  const { spec } = record;
  const options = [...unreadableOptions, ...settingsOf(wanted).flatMap((setting) => setting.options)];
  return [
    wanted.creation,
    // The owner is set before any other setting.
    markCall(record),
    modify(wanted, options, { slot: uplinkSlot(wanted.adapters), remove: [], add: spec.uplink?.forwards ?? [] }),
    commands.addController(spec.uuid, controllerPorts(spec)),
    commands.createLinkedDisk(files.systemDisk, image),
    commands.resizeDisk(files.systemDisk, spec.diskGiB),
    commands.attachDisk(spec.uuid, SYSTEM_PORT, files.systemDisk),
    ...wantedDataDisks(host, spec).map(({ port, file }) => commands.attachDisk(spec.uuid, port, file)),
    commands.attachSeed(spec.uuid, SEED_PORT, files.seed),
  ];
}

const controllerPorts = (spec: MachineSpec): number => Math.max(4, FIRST_DATA_PORT + spec.disks.length);

function stillCalls(wanted: WantedMachine, differing: readonly Setting[], info: VmInfo): readonly Change[] {
  const forwards = forwardChanges(wanted, info);
  const options = differing.flatMap((setting) => setting.options);
  if (options.length === 0 && !hasChanges(forwards)) return [];
  // An earlier run may have been killed before it set these options.
  const unreadable = wanted.record.complete ? [] : unreadableOptions;
  return [modify(wanted, [...unreadable, ...options], forwards)];
}

const hasChanges = ({ remove, add }: ForwardChanges): boolean => remove.length + add.length > 0;

function modify({ record }: WantedMachine, options: readonly string[], forwards: ForwardChanges): Change {
  const { uuid } = record.spec;
  return hasChanges(forwards)
    ? commands.modifyVmAndForwards(uuid, options, forwards)
    : commands.modifyVm(uuid, options);
}

function liveCalls(wanted: WantedMachine, differing: readonly Setting[], info: VmInfo): readonly Change[] {
  const { uuid } = wanted.record.spec;
  const { slot, remove, add } = forwardChanges(wanted, info);
  // Only cables change while the machine runs; the option's name contains their slot.
  const slots = differing.map(({ options: [option] }) => Number(/\d+$/.exec(option ?? "")?.[0]));
  return [
    ...slots.map((cable) => commands.setCable(uuid, cable, true)),
    ...remove.map((rule) => commands.removeLiveForward(uuid, slot, rule)),
    ...add.map((forward) => commands.addLiveForward(uuid, slot, forward)),
  ];
}

const uplinkSlot = (adapters: readonly Adapter[]): number =>
  adapters.find(({ plug }) => plug.kind === "nat")?.slot ?? 1;

/** Forwards of an adapter that is no longer NAT have no effect and are ignored. */
function forwardChanges({ record, adapters }: WantedMachine, { forwards }: VmInfo): ForwardChanges {
  const slot = uplinkSlot(adapters);
  const wanted = record.spec.uplink?.forwards ?? [];
  const found = record.spec.uplink ? (forwards.get(slot) ?? []) : [];
  const superfluous = found.filter((rule) => !wanted.some((forward) => isForward(rule, forward)));
  return {
    slot,
    remove: superfluous.map(({ name }) => name),
    add: wanted.filter((forward) => !found.some((rule) => isForward(rule, forward))),
  };
}

function storageChanges(host: Host, wanted: WantedMachine, { media }: ObservedMachine, info: VmInfo): Changes {
  const { record, files } = wanted;
  const { spec } = record;
  const { uuid } = spec;
  const system = { port: SYSTEM_PORT, file: files.systemDisk };
  const seed = { port: SEED_PORT, file: files.seed };
  const disks = wantedDataDisks(host, spec);
  const medium = mediumAt(media, files.systemDisk);
  const grows = medium?.capacityMiB === undefined || medium.capacityMiB < spec.diskGiB * 1024;
  const isWanted = (slot: Slot) => [system, seed, ...disks].some(({ port }) => port === slot.port);
  const strays = occupiedSlots(info).filter((slot) => !isWanted(slot));
  const missing = [system, ...disks].filter((slot) => !isInSlot(info, slot, media));
  const calls = [
    ...(hasController(info) ? [] : [commands.addController(uuid, controllerPorts(spec))]),
    ...strays.map(({ port }) => commands.detach(uuid, port)),
    ...(medium ? [] : [commands.createLinkedDisk(files.systemDisk, wanted.image)]),
    ...(grows ? [commands.resizeDisk(files.systemDisk, spec.diskGiB)] : []),
    ...missing.map(({ port, file }) => commands.attachDisk(uuid, port, file)),
  ];
  const swap = isInSlot(info, seed, media) ? [] : [commands.attachSeed(uuid, SEED_PORT, files.seed)];
  const stopFor = [
    ...(hasController(info) ? [] : ["its disk controller is missing"]),
    ...strays.map(({ file }) => `${file} is attached to it`),
    ...(grows ? [`its system disk grows to ${spec.diskGiB} GiB`] : []),
    ...missing.map(({ file }) => `${file} is not attached to it`),
  ];
  return { stopFor, calls: [...calls, ...swap] };
}
