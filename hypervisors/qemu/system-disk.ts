import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import type { MachineName, MachineSpec, SeedFiles } from "../hypervisor";
import { seedIso } from "../seed-iso";
import { makeOverlay, resizeDisk } from "./commands";
import { shrinking } from "./disks";
import { convertedImage, machineFiles } from "./folders";
import { qmpSocket, SYSTEM_DISK } from "./names";
import { isRunning } from "./processes";
import { createDiskFile, inspectDiskFile, runQemuImg } from "./qemu-img";
import { withQmp } from "./qmp";

const GIB = 1024 ** 3;

/**
 * Creates the machine's missing disk as an overlay of the image, and grows one that is smaller than `spec` says, which a
 * running guest sees immediately. Keeps what the guest has written.
 *
 * @param backing digest of the image in hex
 */
export async function ensureSystemDisk(host: Host, spec: MachineSpec, backing: string): Promise<void> {
  const { disk } = machineFiles(host, spec);
  if (!(await host.files.exists(disk))) return makeSystemDisk(host, spec, backing);
  const present = await checkSystemDisk(host, spec, backing);
  // Earlier versions let every user read it.
  await host.trees.setMode(disk, 0o600);
  const wanted = spec.diskGiB * GIB;
  if (present === wanted) return undefined;
  if (await isRunning(host, spec)) {
    await withQmp(host, qmpSocket(host, spec), (qmp) =>
      qmp.execute("block_resize", { "node-name": SYSTEM_DISK, size: wanted }),
    );
  } else await runQemuImg(host, resizeDisk(disk, wanted));
  return undefined;
}

/**
 * Inspects an existing disk before anything is changed. Returns its size in bytes.
 * @throws UserError when the driver did not create it, or when it is larger than `spec` says
 */
export async function checkSystemDisk(host: Host, spec: MachineSpec, backing: string): Promise<number> {
  const { disk } = machineFiles(host, spec);
  const found = await inspectDiskFile(host, disk);
  if (found["full-backing-filename"] !== convertedImage(host, backing).disk) {
    throw new UserError(
      "foreign-disk",
      `${disk} is not based on the image of machine ${spec.name}: it was replaced`,
      "put the machine's own disk back, or remove the machine and let `up` recreate it",
    );
  }
  const present = found["virtual-size"];
  if (present > spec.diskGiB * GIB) throw shrinking(`the disk of ${spec.name}`, present, spec.diskGiB * GIB);
  return present;
}

/** Deletes everything that the guest has written, for a machine that gets another image. */
export async function removeSystemDisk(host: Host, machine: MachineName): Promise<void> {
  const { disk } = machineFiles(host, machine);
  for (const file of [disk, `${disk}.partial`]) await host.files.remove(file);
}

/** cloud-init's files as a CD image, which contains secrets. A running guest keeps the one it started with. */
export async function writeSeed(host: Host, machine: MachineName, seed: SeedFiles): Promise<void> {
  await host.files.writeAtomic(machineFiles(host, machine).seed, seedIso(seed), 0o600);
}

async function makeSystemDisk(host: Host, spec: MachineSpec, backing: string): Promise<void> {
  const { disk } = machineFiles(host, spec);
  const image = convertedImage(host, backing).disk;
  const wanted = spec.diskGiB * GIB;
  const least = (await inspectDiskFile(host, image))["virtual-size"];
  if (least > wanted) {
    throw new UserError(
      "disk-too-small",
      `machine ${spec.name} has a disk of ${spec.diskGiB} GiB, and its image ${spec.image} needs ${Math.ceil(least / GIB)} GiB`,
      "give it a larger disk",
    );
  }
  await createDiskFile(host, disk, (partial) => makeOverlay(partial, image, wanted));
}
