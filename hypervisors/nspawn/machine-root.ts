import * as path from "node:path";
import type { Host } from "../../model/host";
import { ImageMissingError, type MachineName, type MachineSpec, type SeedFiles } from "../hypervisor";
import { growFile, makeExt4 } from "./commands";
import { makeContainerStore } from "./container-store";
import { imageFolder, machineFiles } from "./folders";

/** The record of a sealed image in the image store, see image/README.md. */
interface SealedImage {
  readonly digest: string;
  /** Names of folders below `layers/`, from top to bottom. */
  readonly layers: readonly string[];
}

export function inspectImage(host: Host, name: string): Promise<SealedImage | undefined> {
  return host.files.readJson<SealedImage>(path.join(imageFolder(host, name), "image.json"));
}

/** Folders of the image's layers, from top to bottom. */
export async function imageLayers(host: Host, name: string): Promise<readonly string[]> {
  const image = await inspectImage(host, name);
  if (image === undefined) {
    throw new ImageMissingError(name);
  }
  return image.layers.map((layer) => path.join(imageFolder(host, name), "layers", layer));
}

/** Creates the machine's missing files and keeps what the guest has written. */
export async function makeRoot(host: Host, spec: MachineSpec): Promise<void> {
  const files = machineFiles(host, spec);
  await host.files.makeFolder(files.folder, 0o700);
  for (const folder of [files.upper, files.work, files.root]) await host.files.makeFolder(folder);
  await makeContainerStore(host, spec);
  // Machines of earlier revisions have this folder in their own layer, where it must stay visible.
  const isInLayer = await host.files.exists(path.join(files.upper, KUBELET));
  if (isInLayer || !(await host.files.exists(files.containerd))) return;
  await makePodDisk(host, spec);
  await host.files.makeFolder(files.kubelet, 0o755);
}

export const KUBELET = "var/lib/kubelet";

/** Deletes everything that the guest has written, for a machine that gets another image. */
export async function removeRoot(host: Host, machine: MachineName): Promise<void> {
  const files = machineFiles(host, machine);
  const { upper, work, containerd, contentWork, kubelet, podDisk } = files;
  for (const part of [upper, work, containerd, contentWork, kubelet, podDisk]) await host.files.remove(part);
}

/** cloud-init's files. They are bind-mounted read-only, so they can change while the guest runs. */
export async function writeSeed(host: Host, machine: MachineName, seed: SeedFiles): Promise<void> {
  const { seed: folder } = machineFiles(host, machine);
  await host.files.makeFolder(folder, 0o700);
  await host.files.writeAtomic(path.join(folder, "user-data"), seed.userData, 0o600);
  await host.files.writeAtomic(path.join(folder, "meta-data"), seed.metaData, 0o600);
  await host.files.writeAtomic(path.join(folder, "network-config"), seed.networkConfig, 0o600);
}

/** Without loop devices (in some containers), a Node's ephemeral storage is the host's free space, as README.md says. */
const LOOP_CONTROL = "/dev/loop-control";

/**
 * A file system for /var/lib/kubelet, of the planned disk's size: the kubelet reports its size as the Node's ephemeral storage,
 * and the files of pods fill it and not the host. The image is sparse. A machine of an earlier revision has its kubelet's files
 * in the folder, where they must stay visible, until it is recreated.
 */
async function makePodDisk(host: Host, spec: MachineSpec): Promise<void> {
  const { podDisk, kubelet } = machineFiles(host, spec);
  if (!(await host.files.exists(podDisk))) {
    if ((await host.files.exists(kubelet)) || !(await host.files.exists(LOOP_CONTROL))) return;
    const half = `${podDisk}.half`;
    await host.files.remove(half);
    await host.run(growFile(half, spec.diskGiB));
    await host.run(makeExt4(half));
    await host.files.move(half, podDisk);
  }
  // The next start grows the file system.
  await host.run(growFile(podDisk, spec.diskGiB));
}
