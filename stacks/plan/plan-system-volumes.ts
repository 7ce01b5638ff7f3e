import { DISK_OVERHEAD_MIB, type ImageKind, type Volume, volumes } from "../../model/volumes";
import type { PoolConfiguration } from "../config/configuration";
import type { SystemVolumePlan } from "./data-center-plan";

/** Volumes consist of complete extents. */
const EXTENT_MIB = 4;

/**
 * Named volumes get what they ask for. Of what the disk has beyond them and the image's own sizes, every other one gets
 * its share: a larger disk never makes a volume smaller.
 */
export function planSystemVolumes(pool: PoolConfiguration, kind: ImageKind): readonly SystemVolumePlan[] {
  const least = ({ mountPoint, sizeMiB }: Volume): number => (pool.volumes[mountPoint] ?? 0) * 1024 || sizeMiB[kind];
  const taken = volumes.reduce((sum, volume) => sum + least(volume), DISK_OVERHEAD_MIB);
  const left = pool.diskGiB * 1024 - taken;
  return volumes.map((volume) => {
    const { mountPoint, growthShare } = volume;
    const named = pool.volumes[mountPoint] !== undefined;
    const share = named ? 0 : Math.floor((left * growthShare) / 100 / EXTENT_MIB) * EXTENT_MIB;
    return { mountPoint, sizeMiB: least(volume) + share, named };
  });
}
