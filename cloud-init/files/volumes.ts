import type { NodePlan } from "../../stacks/plan/data-center-plan";
import { confValue } from "../quoting";

/**
 * The volumes that prepare-volumes makes of the system disk. The disk's own size is in the file so that a disk that grew
 * is looked at even if no volume takes the new room.
 */
export function renderVolumes({ diskGiB, volumes }: NodePlan): string {
  const lines = volumes.map(({ mountPoint, sizeMiB }) => `${confValue(mountPoint)} ${sizeMiB}\n`);
  return `# System disk of ${diskGiB} GiB: mount point and size in MiB of each volume. None is ever made smaller.\n${lines.join("")}`;
}

/**
 * The data disks in the order in which they are plugged in. Sizes are in the file so that a disk that grew is looked at.
 */
export function renderDataDisks({ dataDisks }: NodePlan): string {
  const lines = dataDisks.map(
    ({ name, uuid, mountPoint, sizeGiB }) => `${confValue(name)} ${uuid} ${confValue(mountPoint)} ${sizeGiB}\n`,
  );
  return `# Serial number, UUID of the file system, mount point and GiB of each data disk.\n${lines.join("")}`;
}
