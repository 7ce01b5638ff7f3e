import type { DiskRecipe } from "../recipes/recipe";
import type { DiskLayout } from "./disk-layout";

/** What the machine mounts. Growing must not write empty inode tables into a thin disk, so they are left as they are. */
export function fstab({ volumeGroup }: DiskRecipe, { partitions, volumes }: DiskLayout): string {
  const lines = [
    ...volumes.map(({ name, mountPoint, fileSystem }) => [
      `/dev/mapper/${volumeGroup}-${name}`,
      mountPoint,
      fileSystem,
      mountPoint === "/" ? "noatime,noinit_itable,errors=remount-ro" : "noatime,noinit_itable",
      "0",
      mountPoint === "/" ? "1" : "2",
    ]),
    [`UUID=${partitions.boot.guid}`, "/boot", "ext4", "noatime,nofail", "0", "2"],
  ];
  return lines.map((line) => `${line.join("\t")}\n`).join("");
}

/** `@KERNEL@` becomes the kernel's version. Screen and serial line both show the boot, and so does the log of a driver. */
export function grubConfiguration({ volumeGroup }: DiskRecipe): string {
  return `serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=0
set timeout_style=hidden
menuentry "groundplane" {
	linux /vmlinuz-@KERNEL@ root=/dev/mapper/${volumeGroup}-root ro loglevel=4 console=tty0 console=ttyS0,115200n8
	initrd /initrd.img-@KERNEL@
}
`;
}

/** Built into GRUB's programs: how they find the rest, on whatever disk the firmware started them from. */
export function loadGrubConfiguration({ partitions }: DiskLayout): string {
  return `search --no-floppy --fs-uuid --set=root ${partitions.boot.guid}
set prefix=($root)/grub
configfile $prefix/grub.cfg
`;
}
