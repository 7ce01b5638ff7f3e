import * as path from "node:path";
import type { Host } from "../../model/host";
import type { MachineSpec } from "../hypervisor";
import { diskFiles } from "./folders";
import { CONTROLLER, FIRST_DATA_PORT } from "./names";
import type { Medium, VmInfo } from "./parse-output";

/** A port of a machine's controller with its medium. */
export interface Slot {
  readonly port: number;
  readonly file: string;
}

/** Data disks with their ports, which follow from their order in the plan. */
export const wantedDataDisks = (host: Host, spec: MachineSpec): readonly (Slot & { readonly disk: string })[] =>
  spec.disks.map(({ disk }, position) => ({
    disk,
    port: FIRST_DATA_PORT + position,
    file: diskFiles(host, { stack: spec.stack, name: disk }).medium,
  }));

/** Ports with a medium. */
export function occupiedSlots(info: VmInfo): readonly Slot[] {
  return [...info.values].flatMap(([key, file]) => {
    const port = new RegExp(`^${CONTROLLER}-(\\d+)-0$`).exec(key)?.[1];
    return port === undefined || file === "none" || file === "emptydrive" ? [] : [{ port: Number(port), file }];
  });
}

export const hasController = ({ values }: VmInfo): boolean => values.get("storagecontrollername0") === CONTROLLER;

/** Whether both are the same file. Windows does not distinguish upper and lower case. */
export function isSameFile(one: string, other: string): boolean {
  const [a, b] = [path.normalize(one), path.normalize(other)];
  return path.sep === path.win32.sep ? a.toLowerCase() === b.toLowerCase() : a === b;
}

/** Whether the file is in the slot, directly or below the layers of snapshots. */
export const isInSlot = (info: VmInfo, { port, file }: Slot, media: readonly Medium[]): boolean =>
  occupiedSlots(info).some((slot) => slot.port === port && isBasedOn(slot.file, file, media));

function isBasedOn(file: string, base: string, media: readonly Medium[]): boolean {
  if (isSameFile(file, base)) return true;
  const parent = media.find(({ uuid }) => uuid === mediumAt(media, file)?.parent);
  return parent !== undefined && isBasedOn(parent.location, base, media);
}

export const mediumAt = (media: readonly Medium[], file: string): Medium | undefined =>
  media.find(({ location }) => isSameFile(location, file));

/** Whether VirtualBox could read the file. Disks of a running machine are `locked read` or `locked write`. */
export const isReadable = ({ state }: Medium): boolean => state !== "inaccessible" && state !== "not created";

/** Whether the file is below the folder. */
export function isBelow(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
}
