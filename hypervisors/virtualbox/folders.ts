import * as path from "node:path";
import { dataFolder, disksFolder, imagesFolder, stackFolder } from "../../host/data-folder";
import type { MachineName } from "../hypervisor";
import { HOLDER_GROUP, holderName, vmGroup, vmName } from "./names";

/** Where the driver keeps what, all below the data folder; VirtualBox' own folders hold nothing of a stack. */
export const machinesFolder = (stack: string): string => path.join(stackFolder(stack), "machines");
export const segmentsFolder = (stack: string): string => path.join(stackFolder(stack), "segments");
export const segmentRecord = (stack: string, name: string): string => path.join(segmentsFolder(stack), `${name}.json`);

/** VirtualBox makes a folder of a machine's group in it, and one of its name in that. */
export const vmsFolder = (stack: string): string => path.join(stackFolder(stack), "virtualbox");
export const groupFolder = (stack: string): string => path.join(vmsFolder(stack), vmGroup(stack).slice(1));

/** Files of one machine: our own beside VirtualBox', because it removes a folder of its own only when it is empty. */
export const machineFiles = (machine: MachineName) => {
  const folder = path.join(machinesFolder(machine.stack), machine.name);
  const vmFolder = path.join(groupFolder(machine.stack), vmName(machine));
  return {
    folder,
    record: path.join(folder, "machine.json"),
    consoleLog: path.join(folder, "console.log"),
    /** Of the start before. */
    lastConsoleLog: path.join(folder, "console.1.log"),
    vmFolder,
    settings: path.join(vmFolder, `${vmName(machine)}.vbox`),
    systemDisk: path.join(vmFolder, "system.vdi"),
  };
};

export const diskFiles = ({ stack, name }: MachineName) => {
  const folder = path.join(disksFolder(stack), name);
  return { folder, record: path.join(folder, "disk.json"), medium: path.join(folder, "disk.vdi") };
};

/** A sealed image in the image store, see image/README.md. */
export const sealedImage = (name: string) => {
  const folder = path.join(imagesFolder(), name);
  return { record: path.join(folder, "image.json"), disk: path.join(folder, "disk.raw") };
};

const virtualBoxFolder = (): string => path.join(dataFolder(), "virtualbox");
export const convertedImagesFolder = (): string => path.join(virtualBoxFolder(), "images");
/** What the driver makes of a sealed image, for all stacks. */
export const convertedImage = (name: string) => {
  const folder = path.join(convertedImagesFolder(), name);
  const holders = path.join(virtualBoxFolder(), "holders");
  return {
    folder,
    record: path.join(folder, "image.json"),
    medium: path.join(folder, "disk.vdi"),
    /** While it is being converted. */
    half: path.join(folder, "disk.half.vdi"),
    holders,
    holderGroup: path.join(holders, HOLDER_GROUP.slice(1)),
    holderFolder: path.join(holders, HOLDER_GROUP.slice(1), holderName(name)),
    /** Removed when nothing is in them any more, from the inside out. */
    parents: [path.join(holders, HOLDER_GROUP.slice(1)), holders, convertedImagesFolder(), virtualBoxFolder()],
  };
};

/** Names of locks of this driver; VirtualBox' own lock is in registry-lock.ts. */
export const lockFile = (name: string): string => path.join(virtualBoxFolder(), "locks", name);
