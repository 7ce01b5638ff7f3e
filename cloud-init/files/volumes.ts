import type { NodePlan } from "../../stacks/plan/data-center-plan";
import { confValue } from "../quoting";

/**
 * The volumes that prepare-volumes creates on the system disk. The file contains the disk's size, so that a grown disk is
 * processed even if no volume uses the new space.
 */
export function renderVolumes({ diskGiB, volumes }: NodePlan): string {
  const lines = volumes.map(({ mountPoint, sizeMiB }) => `${confValue(mountPoint)} ${sizeMiB}\n`);
  return `# System disk of ${diskGiB} GiB: mount point and size in MiB of each volume. None is ever made smaller.\n${lines.join("")}`;
}

/**
 * The data disks in the order of attachment. The file contains their sizes, so that a grown disk is processed.
 */
export function renderDataDisks({ dataDisks }: NodePlan): string {
  const lines = dataDisks.map(
    ({ name, uuid, mountPoint, sizeGiB }) => `${confValue(name)} ${uuid} ${confValue(mountPoint)} ${sizeGiB}\n`,
  );
  return `# Serial number, UUID of the file system, mount point and GiB of each data disk.\n${lines.join("")}`;
}
