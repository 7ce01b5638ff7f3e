import * as path from "node:path";
import { disksFolder, imagesFolder, stackFolder } from "../../host/data-folder";
import type { MachineName } from "../hypervisor";

/** Where the driver keeps what: records and machines in the data folder, what ends with the host's uptime in /run. */
export const machinesFolder = (stack: string): string => path.join(stackFolder(stack), "machines");
export const machineFolder = ({ stack, name }: MachineName): string => path.join(machinesFolder(stack), name);
export const segmentsFolder = (stack: string): string => path.join(stackFolder(stack), "segments");
export const segmentRecord = (stack: string, name: string): string => path.join(segmentsFolder(stack), `${name}.json`);
export const diskFolder = (stack: string, name: string): string => path.join(disksFolder(stack), name);
export const imageFolder = (name: string): string => path.join(imagesFolder(), name);

/** Files of one machine. */
export const machineFiles = (machine: MachineName) => {
  const folder = machineFolder(machine);
  return {
    folder,
    record: path.join(folder, "machine.json"),
    /** The machine's own layer of the overlay; `work` is overlayfs' own, `root` the empty mount point. */
    upper: path.join(folder, "upper"),
    work: path.join(folder, "work"),
    root: path.join(folder, "root"),
    seed: path.join(folder, "seed"),
    /** The machine's /var/lib/containerd: containerd's own overlays cannot lie on an overlay. */
    containerd: path.join(folder, "containerd"),
    consoleLog: path.join(folder, "console.log"),
    uplinkLog: path.join(folder, "uplink.log"),
    cgroups: path.join(folder, "cgroups.json"),
  };
};

export const RUN_FOLDER = "/run/groundplane";
export const lockFile = (name: string): string => path.join(RUN_FOLDER, "locks", name);
/** Below 108 characters, which a path in the data folder may not be. */
export const uplinkSocket = ({ stack, name }: MachineName): string =>
  path.join(RUN_FOLDER, "uplinks", `${stack}.${name}`);
