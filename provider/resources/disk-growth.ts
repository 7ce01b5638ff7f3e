import type { MachineInputs, MachineVolume } from "../../model/resource-types";
import { UserError } from "../../model/user-error";
import { DISK_OVERHEAD_MIB } from "../../model/volumes";

/** The properties of a machine that can only grow. */
export interface GrowingMachine extends Pick<MachineInputs, "name" | "diskGiB" | "volumes"> {}

/**
 * The volumes after a change: a share that is smaller in the new plan keeps its size in the guest.
 * @throws UserError `disk-shrinks`, `volume-shrinks`, `volumes-do-not-fit`; in a preview as well
 */
export function grownVolumes(wanted: GrowingMachine, before: GrowingMachine): readonly MachineVolume[] | undefined {
  const { name, diskGiB } = wanted;
  if (diskGiB < before.diskGiB) {
    const problem = `the disk of ${name} has ${before.diskGiB} GiB and cannot shrink to ${diskGiB} GiB, because its volumes span it`;
    throw new UserError("disk-shrinks", problem, `set diskGiB to ${before.diskGiB} again, or ${recreate(name)}`);
  }
  const standing = wanted.volumes?.map((volume) => grown(name, volume, before));
  const neededMiB = (standing ?? []).reduce((sum, { sizeMiB }) => sum + sizeMiB, DISK_OVERHEAD_MIB);
  if (standing && neededMiB > diskGiB * 1024) {
    const list = standing.map(({ mountPoint, sizeMiB }) => `${mountPoint} ${sizeMiB} MiB`).join(", ");
    const problem = `the volumes of ${name} do not fit on its disk of ${diskGiB} GiB, and none can shrink: ${list}`;
    const hint = `use diskGiB: ${Math.ceil(neededMiB / 1024)} or more, or ${recreate(name)}`;
    throw new UserError("volumes-do-not-fit", problem, hint);
  }
  return standing;
}

function grown(machine: string, wanted: MachineVolume, { volumes = [] }: GrowingMachine): MachineVolume {
  const before = volumes.find(({ mountPoint }) => mountPoint === wanted.mountPoint);
  if (!before || before.sizeMiB <= wanted.sizeMiB) return wanted;
  if (!wanted.named) return { ...wanted, sizeMiB: before.sizeMiB };
  const size = `${before.sizeMiB} MiB and cannot shrink to ${wanted.sizeMiB} MiB`;
  const least = Math.ceil(before.sizeMiB / 1024);
  throw new UserError(
    "volume-shrinks",
    `${wanted.mountPoint} of ${machine} has ${size}: a mounted file system can only grow`,
    `use ${wanted.mountPoint}: ${least} or more, or ${recreate(machine)}`,
  );
}

const recreate = (machine: string): string =>
  `recreate the machine: pulumi up --target-replace with the URN of ${machine}`;

/** What grows, for the preview; undefined if nothing does. */
export function describeGrowth(wanted: GrowingMachine, before: GrowingMachine): string | undefined {
  const disk = wanted.diskGiB > before.diskGiB ? [`disk from ${before.diskGiB} to ${wanted.diskGiB} GiB`] : [];
  const volumes = (wanted.volumes ?? []).flatMap(({ mountPoint, sizeMiB }) => {
    const had = before.volumes?.find((volume) => volume.mountPoint === mountPoint)?.sizeMiB ?? sizeMiB;
    return sizeMiB > had ? [`${mountPoint} from ${had} to ${sizeMiB} MiB`] : [];
  });
  const all = [...disk, ...volumes];
  return all.length === 0 ? undefined : `${wanted.name} grows: ${all.join(", ")}`;
}
