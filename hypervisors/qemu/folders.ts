import * as path from "node:path";
import { dataFolder, disksFolder, imagesFolder, stackFolder } from "../../host/data-folder";
import type { MachineName } from "../hypervisor";

/**
 * Where the driver keeps what. Beside other drivers' records, never among them: a stack that changes its driver must not
 * take a folder for a disk. Names hold no dot.
 */
const driverFolder = (stack: string): string => path.join(stackFolder(stack), "qemu");
export const machinesFolder = (stack: string): string => path.join(driverFolder(stack), "machines");
export const machineFolder = ({ stack, name }: MachineName): string => path.join(machinesFolder(stack), name);
export const segmentsFolder = (stack: string): string => path.join(driverFolder(stack), "segments");
export const segmentRecord = (stack: string, name: string): string => path.join(segmentsFolder(stack), `${name}.json`);
export const switchLog = (stack: string): string => path.join(driverFolder(stack), "switch.log");
export const diskFolder = (stack: string, name: string): string => path.join(disksFolder(stack), `${name}.qemu`);

/** What is kept per stack, the innermost first. */
export const stackFolders = (stack: string): readonly string[] => [
  segmentsFolder(stack),
  machinesFolder(stack),
  driverFolder(stack),
  stackFolder(stack),
];

/** Files of one machine. */
export const machineFiles = (machine: MachineName) => {
  const folder = machineFolder(machine);
  return {
    folder,
    record: path.join(folder, "machine.json"),
    disk: path.join(folder, "disk.qcow2"),
    seed: path.join(folder, "seed.iso"),
    consoleLog: path.join(folder, "console.log"),
    previousConsoleLog: path.join(folder, "console.log.1"),
    /** What QEMU itself says. */
    qemuLog: path.join(folder, "qemu.log"),
  };
};

/** A sealed image in the image store. */
export const sealedImage = (name: string) => {
  const folder = path.join(imagesFolder(), name);
  return { record: path.join(folder, "image.json"), disk: path.join(folder, "disk.raw") };
};

export const convertedFolder = (): string => path.join(dataFolder(), "qemu", "images");
/** A sealed disk as qcow2, by the hex of its digest; the record is written last. */
export const convertedImage = (hex: string) => ({
  disk: path.join(convertedFolder(), `${hex}.qcow2`),
  record: path.join(convertedFolder(), `${hex}.json`),
});
