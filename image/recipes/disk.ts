import { volumes } from "../volumes";
import digests from "./layer-digests.json";
import type { DiskRecipe } from "./recipe";

/** What a machine of its own kernel needs on top of the root tree that containers share. */
export const disk: DiskRecipe = {
  packages: [
    "dosfstools",
    "fdisk",
    "grub-efi-amd64-bin",
    "grub-pc-bin",
    "grub-common",
    "initramfs-tools",
    "linux-image-amd64",
    "zstd",
  ].sort(),
  layer: {
    folder: "disk",
    files: digests.disk,
    maskedUnits: [],
    disabledUnits: [],
    enabledUnits: { "groundplane-volumes.service": "multi-user.target" },
  },
  volumeGroup: "groundplane",
  volumes,
  bootMiB: 256,
  efiMiB: 64,
  sealedAt: Date.UTC(2026, 0, 1) / 1000,
};
