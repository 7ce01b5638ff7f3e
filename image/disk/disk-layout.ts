import { v5 } from "uuid";
import type { ImageKind, Volume } from "../../model/volumes";
import type { DiskRecipe } from "../recipes/recipe";
import { checkVolumes } from "./check-volumes";

export const MIB = 1024 * 1024;
export const SECTOR = 512;
/** LVM's default; every volume is a multiple of it. */
export const EXTENT_BYTES = 4 * MIB;
/** Offset of the first extent in its partition; the metadata of the volume group precede it. */
export const FIRST_EXTENT_BYTES = MIB;

const NAMESPACE = "7a4f6d0e-1d0b-5b0c-9a53-2f6b0a7c51d9";

export type PartitionName = "bios-boot" | "efi" | "boot" | "volumes";

export interface Partition {
  readonly name: PartitionName;
  readonly typeGuid: string;
  readonly guid: string;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface PlacedVolume extends Volume {
  readonly uuid: string;
  readonly sizeBytes: number;
  /** From the start of the disk. */
  readonly offsetBytes: number;
  readonly firstExtent: number;
  readonly extents: number;
}

/** Offsets and names of everything on a disk; follows from the recipe alone. */
export interface DiskLayout {
  readonly diskGuid: string;
  readonly sizeBytes: number;
  readonly partitions: Readonly<Record<PartitionName, Partition>>;
  readonly volumes: readonly PlacedVolume[];
  /** Extents of the only physical volume; all belong to volumes. */
  readonly extents: number;
}

const types: Readonly<Record<PartitionName, string>> = {
  "bios-boot": "21686148-6449-6e6f-744e-656564454649",
  efi: "c12a7328-f81f-11d2-ba4b-00a0c93ec93b",
  boot: "0fc63daf-8483-4772-8e79-3d69d8477de4",
  volumes: "e6d6d379-f507-44c2-a23c-238f2a3df928",
};

/** The same for all images of a kind: their machines never see each other's disks. */
export const identity = (kind: ImageKind, what: string): string => v5(`${kind} ${what}`, NAMESPACE);

/** @throws UserError `volumes` */
export function layOutDisk(kind: ImageKind, { volumes, bootMiB, efiMiB }: DiskRecipe): DiskLayout {
  checkVolumes(volumes);
  let at = MIB;
  const partition = (name: PartitionName, sizeBytes: number): Partition => {
    const placed = { name, typeGuid: types[name], guid: identity(kind, name), offsetBytes: at, sizeBytes };
    at += sizeBytes;
    return placed;
  };
  const first = [
    partition("bios-boot", MIB),
    partition("efi", efiMiB * MIB),
    partition("boot", bootMiB * MIB),
  ] as const;
  const [biosBoot, efi, boot] = first;
  const placed = placeVolumes(kind, volumes, at + FIRST_EXTENT_BYTES);
  const extents = placed.reduce((sum, volume) => sum + volume.extents, 0);
  // Last, so that it can grow with the disk.
  const last = partition("volumes", FIRST_EXTENT_BYTES + extents * EXTENT_BYTES);
  return {
    diskGuid: identity(kind, "disk"),
    // One MiB at the end for the second partition table.
    sizeBytes: at + MIB,
    partitions: { "bios-boot": biosBoot, efi, boot, volumes: last },
    volumes: placed,
    extents,
  };
}

function placeVolumes(kind: ImageKind, volumes: readonly Volume[], from: number): readonly PlacedVolume[] {
  let firstExtent = 0;
  return volumes.map((volume) => {
    const extents = Math.ceil((volume.sizeMiB[kind] * MIB) / EXTENT_BYTES);
    const offsetBytes = from + firstExtent * EXTENT_BYTES;
    const uuid = identity(kind, volume.name);
    const placed = { ...volume, uuid, sizeBytes: extents * EXTENT_BYTES, offsetBytes, firstExtent, extents };
    firstExtent += extents;
    return placed;
  });
}
