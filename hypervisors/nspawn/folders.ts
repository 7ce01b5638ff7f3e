import * as path from "node:path";
import type { Host } from "../../model/host";
import type { MachineName } from "../hypervisor";

/** Paths of the driver: records and machines are in the data folder; what a restart of the host ends is in /run. */
export const machinesFolder = (host: Host, stack: string): string => path.join(host.folders.stack(stack), "machines");
export const machineFolder = (host: Host, { stack, name }: MachineName): string =>
  path.join(machinesFolder(host, stack), name);
export const segmentsFolder = (host: Host, stack: string): string => path.join(host.folders.stack(stack), "segments");
export const segmentRecord = (host: Host, stack: string, name: string): string =>
  path.join(segmentsFolder(host, stack), `${name}.json`);
export const diskFolder = (host: Host, stack: string, name: string): string =>
  path.join(host.folders.disks(stack), name);
export const imageFolder = (host: Host, name: string): string => path.join(host.folders.images(), name);

/** Files of one machine. */
export const machineFiles = (host: Host, machine: MachineName) => {
  const folder = machineFolder(host, machine);
  return {
    folder,
    record: path.join(folder, "machine.json"),
    /** The machine's own layer of the overlay; `work` is overlayfs' own, `root` the empty mount point. */
    upper: path.join(folder, "upper"),
    work: path.join(folder, "work"),
    root: path.join(folder, "root"),
    seed: path.join(folder, "seed"),
    /** The machine's /var/lib/containerd: containerd's overlays do not work on top of an overlay. */
    containerd: path.join(folder, "containerd"),
    /** Overlayfs' own, for the blobs in `containerd`. */
    contentWork: path.join(folder, "content-work"),
    /** The machine's /var/lib/kubelet: an overlay cannot map the owners of volumes for pods with a user namespace. */
    kubelet: path.join(folder, "kubelet"),
    /** What is mounted there: a file system of the planned disk's size. */
    podDisk: path.join(folder, "pods.ext4"),
    consoleLog: path.join(folder, "console.log"),
    uplinkLog: path.join(folder, "uplink.log"),
    cgroups: path.join(folder, "cgroups.json"),
  };
};

export const RUN_FOLDER = "/run/groundplane";
export const lockFile = (name: string): string => path.join(RUN_FOLDER, "locks", name);
/** Shorter than 108 characters, the limit for sockets; a path in the data folder may be longer. */
export const uplinkSocket = ({ stack, name }: MachineName): string =>
  path.join(RUN_FOLDER, "uplinks", `${stack}.${name}`);
