import * as path from "node:path";
import {
  exists,
  filesBelow,
  makeFolder,
  moveTree,
  readJson,
  removeTree,
  replaceByCopy,
  writeFileAtomic,
} from "../../host/file-store";
import { runCommand } from "../../host/run-command";
import { CommandError } from "../../model/commands";
import { ImageMissingError, type MachineName, type MachineSpec, type SeedFiles } from "../hypervisor";
import { copyTree, linkTree } from "./commands";
import { imageFolder, machineFiles } from "./folders";

/** What the image store says of a sealed image, see image/README.md. */
interface SealedImage {
  readonly digest: string;
  /** Names of folders below `layers/`, from top to bottom. */
  readonly layers: readonly string[];
}

export function inspectImage(name: string): Promise<SealedImage | undefined> {
  return readJson<SealedImage>(path.join(imageFolder(name), "image.json"));
}

/** Folders of the image's layers, from top to bottom. */
export async function imageLayers(name: string): Promise<readonly string[]> {
  const image = await inspectImage(name);
  if (image === undefined) {
    throw new ImageMissingError(name);
  }
  return image.layers.map((layer) => path.join(imageFolder(name), "layers", layer));
}

/** Makes the machine's own files where they are missing; what the guest has written stays. */
export async function makeRoot(spec: MachineSpec): Promise<void> {
  const files = machineFiles(spec);
  for (const folder of [files.upper, files.work, files.root]) await makeFolder(folder);
  await makeContainerStore(spec, files.containerd);
}

/** Forgets everything the guest has written, for a machine that gets another image. */
export async function removeRoot(machine: MachineName): Promise<void> {
  const files = machineFiles(machine);
  for (const folder of [files.upper, files.work, files.containerd]) await removeTree(folder);
}

/** cloud-init's files; bound read-only into the guest, so that they change also while it runs. */
export async function writeSeed(machine: MachineName, seed: SeedFiles): Promise<void> {
  const { seed: folder } = machineFiles(machine);
  await makeFolder(folder, 0o700);
  await writeFileAtomic(path.join(folder, "user-data"), seed.userData, 0o600);
  await writeFileAtomic(path.join(folder, "meta-data"), seed.metaData, 0o600);
  await writeFileAtomic(path.join(folder, "network-config"), seed.networkConfig, 0o600);
}

/**
 * The image's container images, unpacked, as hard links: containerd only ever replaces blobs and committed layers.
 * Its databases it writes in place, so these are copies.
 */
async function makeContainerStore(spec: MachineSpec, target: string): Promise<void> {
  const source = path.join(imageFolder(spec.image), "containerd");
  if ((await exists(target)) || !(await exists(source))) return;
  const half = `${target}.half`;
  await removeTree(half);
  await linkOrCopy(source, half);
  const databases = (await filesBelow(half)).filter((file) => file.endsWith(".db"));
  for (const file of databases) await replaceByCopy(path.join(source, file), path.join(half, file));
  await moveTree(half, target);
}

async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await runCommand(linkTree(source, target));
  } catch (error) {
    if (!(error instanceof CommandError) || !/cross-device|too many links/i.test(error.stderr)) throw error;
    await removeTree(target);
    await runCommand(copyTree(source, target));
  }
}
