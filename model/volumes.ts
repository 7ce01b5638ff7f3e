/** Which of the two images a machine is made from. */
export type ImageKind = "infrastructure" | "kubernetes";

/**
 * One logical volume of the disk image. Plain data that the recipe, the configuration's checks and the plan share; it
 * imports nothing.
 */
export interface Volume {
  /** Name of the logical volume in the volume group. */
  readonly name: string;
  readonly mountPoint: string;
  /** Must be one that grows while it is mounted. */
  readonly fileSystem: "ext4";
  /** Its size in the image: its content, and space for the first boot. */
  readonly sizeMiB: Readonly<Record<ImageKind, number>>;
  /** Percent of what a machine's disk has beyond the image; the rest stays free for volumes to be grown later. */
  readonly growthShare: number;
}

/** Parents before what is mounted in them. */
export const volumes: readonly Volume[] = [
  volume("root", "/", { infrastructure: 256, kubernetes: 256 }, 5),
  volume("usr", "/usr", { infrastructure: 1152, kubernetes: 1408 }, 5),
  volume("var", "/var", { infrastructure: 512, kubernetes: 1664 }, 65),
  volume("tmp", "/tmp", { infrastructure: 128, kubernetes: 128 }, 5),
  volume("opt", "/opt", { infrastructure: 64, kubernetes: 64 }, 5),
];

/** What of a disk is no logical volume: partition tables, boot partitions, metadata of the volume group. */
export const DISK_OVERHEAD_MIB = 384;

function volume(name: string, mountPoint: string, sizeMiB: Volume["sizeMiB"], growthShare: number): Volume {
  return { name, mountPoint, fileSystem: "ext4", sizeMiB, growthShare };
}
