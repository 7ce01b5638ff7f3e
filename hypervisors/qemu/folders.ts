import * as path from "node:path";
import type { Host } from "../../model/host";
import type { MachineName } from "../hypervisor";

/**
 * Paths of the driver. They are separate from other drivers' records, so that a stack that changes its driver never
 * mistakes a folder for a disk. Names contain no dot.
 */
const driverFolder = (host: Host, stack: string): string => path.join(host.folders.stack(stack), "qemu");
export const machinesFolder = (host: Host, stack: string): string => path.join(driverFolder(host, stack), "machines");
export const machineFolder = (host: Host, { stack, name }: MachineName): string =>
  path.join(machinesFolder(host, stack), name);
export const segmentsFolder = (host: Host, stack: string): string => path.join(driverFolder(host, stack), "segments");
export const segmentRecord = (host: Host, stack: string, name: string): string =>
  path.join(segmentsFolder(host, stack), `${name}.json`);
export const switchLog = (host: Host, stack: string): string => path.join(driverFolder(host, stack), "switch.log");
export const diskFolder = (host: Host, stack: string, name: string): string =>
  path.join(host.folders.disks(stack), `${name}.qemu`);

/** Folders that are kept per stack, innermost first. */
export const stackFolders = (host: Host, stack: string): readonly string[] => [
  segmentsFolder(host, stack),
  machinesFolder(host, stack),
  driverFolder(host, stack),
  host.folders.stack(stack),
];

/** Files of one machine. */
export const machineFiles = (host: Host, machine: MachineName) => {
  const folder = machineFolder(host, machine);
  return {
    folder,
    record: path.join(folder, "machine.json"),
    disk: path.join(folder, "disk.qcow2"),
    seed: path.join(folder, "seed.iso"),
    consoleLog: path.join(folder, "console.log"),
    previousConsoleLog: path.join(folder, "console.log.1"),
    /** Output of QEMU itself. */
    qemuLog: path.join(folder, "qemu.log"),
  };
};

/** A sealed image in the image store. */
export const sealedImage = (host: Host, name: string) => {
  const folder = path.join(host.folders.images(), name);
  return { record: path.join(folder, "image.json"), disk: path.join(folder, "disk.raw") };
};

/** Outside the folder that it protects, which is removed with the last image. */
export const imagesLock = (host: Host): string => path.join(host.folders.data(), "locks", "qemu-images");

export const convertedFolder = (host: Host): string => path.join(host.folders.data(), "qemu", "images");

/** A sealed disk as qcow2, by the hex of its digest; the record is written last. */
export const convertedImage = (host: Host, hex: string) => ({
  disk: path.join(convertedFolder(host), `${hex}.qcow2`),
  record: path.join(convertedFolder(host), `${hex}.json`),
});
