import type { DistributionName } from "../../model/distributions";
import { volumes } from "../../model/volumes";
import digests from "./layer-digests.json";
import type { DiskRecipe } from "./recipe";

/** The kernel for virtual machines. */
const kernels: Readonly<Record<DistributionName, string>> = {
  debian: "linux-image-amd64",
  ubuntu: "linux-image-virtual",
};

/** What a virtual machine needs on top of the root tree, which containers also use. */
export const diskOf = (distribution: DistributionName): DiskRecipe => ({
  packages: [
    // containerd confines pods with it. System containers share the host's kernel, whose profiles are not theirs.
    "apparmor",
    "dosfstools",
    "fdisk",
    "grub-efi-amd64-bin",
    "grub-pc-bin",
    "grub-common",
    "initramfs-tools",
    kernels[distribution],
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
});

export const disk = diskOf("debian");
