import * as path from "node:path";
import type { Host } from "../../model/host";
import type { MachineName } from "../hypervisor";
import { HOLDER_GROUP, holderName, vmGroup, vmName } from "./names";

/** File locations of the driver. All are below the data folder; VirtualBox's own folders contain nothing of a stack. */
export const machinesFolder = (host: Host, stack: string): string => path.join(host.folders.stack(stack), "machines");
export const segmentsFolder = (host: Host, stack: string): string => path.join(host.folders.stack(stack), "segments");
export const segmentRecord = (host: Host, stack: string, name: string): string =>
  path.join(segmentsFolder(host, stack), `${name}.json`);

/** Output of the process that keeps the consoles small. */
export const consoleLimitLog = (host: Host, stack: string): string =>
  path.join(host.folders.stack(stack), "virtualbox-consoles.log");

/** VirtualBox creates a folder for the machine's group in it, and in that folder one for the machine. */
export const vmsFolder = (host: Host, stack: string): string => path.join(host.folders.stack(stack), "virtualbox");
export const groupFolder = (host: Host, stack: string): string =>
  path.join(vmsFolder(host, stack), vmGroup(stack).slice(1));

/** Files of one machine. Ours are in a separate folder, because VirtualBox removes its folder only when it is empty. */
export const machineFiles = (host: Host, machine: MachineName) => {
  const folder = path.join(machinesFolder(host, machine.stack), machine.name);
  const vmFolder = path.join(groupFolder(host, machine.stack), vmName(machine));
  return {
    folder,
    record: path.join(folder, "machine.json"),
    consoleLog: path.join(folder, "console.log"),
    /** Output of the previous start. */
    lastConsoleLog: path.join(folder, "console.1.log"),
    vmFolder,
    settings: path.join(vmFolder, `${vmName(machine)}.vbox`),
    systemDisk: path.join(vmFolder, "system.vdi"),
  };
};

export const diskFiles = (host: Host, { stack, name }: MachineName) => {
  const folder = path.join(host.folders.disks(stack), name);
  return { folder, record: path.join(folder, "disk.json"), medium: path.join(folder, "disk.vdi") };
};

/** A sealed image in the image store; see image/README.md. */
export const sealedImage = (host: Host, name: string) => {
  const folder = path.join(host.folders.images(), name);
  return { record: path.join(folder, "image.json"), disk: path.join(folder, "disk.raw") };
};

const virtualBoxFolder = (host: Host): string => path.join(host.folders.data(), "virtualbox");
export const convertedImagesFolder = (host: Host): string => path.join(virtualBoxFolder(host), "images");
/** The converted form of a sealed image, shared by all stacks. */
export const convertedImage = (host: Host, name: string) => {
  const folder = path.join(convertedImagesFolder(host), name);
  const holders = path.join(virtualBoxFolder(host), "holders");
  return {
    folder,
    record: path.join(folder, "image.json"),
    medium: path.join(folder, "disk.vdi"),
    /** The file during the conversion. */
    half: path.join(folder, "disk.half.vdi"),
    holders,
    holderGroup: path.join(holders, HOLDER_GROUP.slice(1)),
    holderFolder: path.join(holders, HOLDER_GROUP.slice(1), holderName(name)),
    /** Removed when they are empty, innermost first. */
    parents: [path.join(holders, HOLDER_GROUP.slice(1)), holders, convertedImagesFolder(host), virtualBoxFolder(host)],
  };
};

/** Lock files of this driver; the lock of VirtualBox's registry is in registry-lock.ts. */
export const lockFile = (host: Host, name: string): string => path.join(virtualBoxFolder(host), "locks", name);
