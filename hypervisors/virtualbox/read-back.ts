import type { Host } from "../../model/host";
import type { DiskAttachment, MachineSpec, PortForward, UplinkSpec } from "../hypervisor";
import { type Adapter, macText } from "./adapters";
import { isForward } from "./forwards";
import { describeDifference, differingSettings, wantedSettings } from "./machine-settings";
import { SEED_PORT, SYSTEM_PORT } from "./names";
import type { Medium, VmInfo } from "./parse-output";
import { isInSlot, isReadable, mediumAt, occupiedSlots, wantedDataDisks } from "./storage";

/** The recorded data of a machine and the expected locations of its files. */
export interface KnownMachine {
  readonly spec: MachineSpec;
  readonly adapters: readonly Adapter[];
  /** UUID of the image's medium; `undefined` if the image is missing. */
  readonly image: string | undefined;
  readonly files: { readonly consoleLog: string; readonly systemDisk: string; readonly seed: string };
}

/** The machine's actual state, and as messages the differences that a spec cannot express. */
export interface ReadBack {
  readonly spec: MachineSpec;
  readonly drift: readonly string[];
}

export function readBack(host: Host, known: KnownMachine, info: VmInfo, media: readonly Medium[]): ReadBack {
  const { uplink: wantedUplink, ...recorded } = known.spec;
  const system = mediumAt(media, known.files.systemDisk);
  const uplink = wantedUplink && readUplink(wantedUplink, known, info);
  const spec: MachineSpec = {
    ...recorded,
    cpus: numberOf(info, "cpus", recorded.cpus),
    memoryMiB: numberOf(info, "memory", recorded.memoryMiB),
    diskGiB: system?.capacityMiB === undefined ? recorded.diskGiB : Math.floor(system.capacityMiB / 1024),
    disks: readDisks(host, known.spec, info, media),
    ...(uplink ? { uplink } : {}),
  };
  return { spec, drift: [...settingsDrift(known, info), ...storageDrift(host, known, info, media)] };
}

function numberOf({ values }: VmInfo, key: string, otherwise: number): number {
  const value = Number(values.get(key));
  return Number.isInteger(value) && value > 0 ? value : otherwise;
}

/** Keeps the planned order of forwards, so that another order does not count as a difference. */
function readUplink(wanted: UplinkSpec, known: KnownMachine, info: VmInfo): UplinkSpec | undefined {
  const slot = known.adapters.find(({ plug }) => plug.kind === "nat")?.slot ?? 1;
  if (info.values.get(`nic${slot}`) !== "nat") return undefined;
  const rules = info.forwards.get(slot) ?? [];
  const kept = wanted.forwards.filter((forward) => rules.some((rule) => isForward(rule, forward)));
  const others = rules.filter((rule) => !wanted.forwards.some((forward) => isForward(rule, forward)));
  const added: readonly PortForward[] = others.map(({ hostPort, guestPort }) => ({ hostPort, guestPort }));
  const mac = macText(info.values.get(`macaddress${slot}`) ?? "");
  // The gateway's firewall heeds it, not VirtualBox.
  return { mac, forwards: [...kept, ...added], ...(wanted.reachable && { reachable: wanted.reachable }) };
}

const readDisks = (
  host: Host,
  spec: MachineSpec,
  info: VmInfo,
  media: readonly Medium[],
): readonly DiskAttachment[] => {
  const attached = wantedDataDisks(host, spec).filter((slot) => isInSlot(info, slot, media));
  return spec.disks.filter(({ disk }) => attached.some((slot) => slot.disk === disk));
};

/** Settings that are members of a spec. They are not reported again as drift. */
const inSpec = ["memory", "cpus"];

function settingsDrift({ spec, adapters, files }: KnownMachine, info: VmInfo): readonly string[] {
  const settings = wantedSettings(spec, adapters, files.consoleLog).filter(({ name }) => !inSpec.includes(name));
  return differingSettings(settings, info).map((setting) => describeDifference(setting, info));
}

function storageDrift(
  host: Host,
  { spec, files, image }: KnownMachine,
  info: VmInfo,
  media: readonly Medium[],
): readonly string[] {
  const drift: string[] = [];
  const has = (port: number, file: string) => isInSlot(info, { port, file }, media);
  if (!has(SYSTEM_PORT, files.systemDisk)) drift.push("its system disk is not attached");
  if (!has(SEED_PORT, files.seed)) drift.push("its seed is not in the CD drive");
  const ports = [SYSTEM_PORT, SEED_PORT, ...wantedDataDisks(host, spec).map(({ port }) => port)];
  for (const { port, file } of occupiedSlots(info)) {
    if (!ports.includes(port)) drift.push(`${file} is attached to it`);
  }
  const system = mediumAt(media, files.systemDisk);
  const base = media.find(({ uuid }) => uuid === image);
  if (system === undefined) drift.push("its system disk is unknown to VirtualBox");
  else if (!base || !isReadable(base)) drift.push("the image that its system disk is based on is missing");
  else if (!isReadable(system)) drift.push("its system disk cannot be read");
  else if (system.parent !== image) drift.push("its system disk is based on another image");
  return drift;
}
