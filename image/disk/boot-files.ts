import type { DiskRecipe } from "../recipes/recipe";
import { type DiskLayout, type Partition, SECTOR } from "./disk-layout";

/** Offsets in GRUB's boot.img that its installer fills in. */
const KERNEL_SECTOR_AT = 0x5c;
const DRIVE_AT = 0x64;
const DRIVE_CHECK_AT = 0x66;
/** The block list at the end of the core's first sector, which loads the rest. */
const LIST_AT = SECTOR - 12;
/** Where the rest is loaded to, divided by 16. */
const LIST_SEGMENT = 0x820;

/** What the machine mounts. `noinit_itable`: a file system that grows must not write empty inode tables to a thin disk. */
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

/** `@KERNEL@` becomes the kernel's version. Screen and serial console both show the boot; drivers log the latter. */
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

/** Built into GRUB's programs: how they find the rest, independent of the disk that the firmware started them from. */
export function loadGrubConfiguration({ partitions }: DiskLayout): string {
  return `search --no-floppy --fs-uuid --set=root ${partitions.boot.guid}
set prefix=($root)/grub
configfile $prefix/grub.cfg
`;
}

/**
 * What grub-bios-setup writes, but without a device: the program for the disk's first sector, which knows where the core
 * is, and the core for the BIOS boot partition, which knows where its remaining sectors are.
 */
export function biosBoot(bootImage: Buffer, core: Buffer, partition: Partition): { program: Buffer; core: Buffer } {
  if (core.length > partition.sizeBytes) throw new RangeError("GRUB's core does not fit the BIOS boot partition");
  const start = BigInt(partition.offsetBytes / SECTOR);
  const program = Buffer.from(bootImage.subarray(0, 440));
  program.writeBigUInt64LE(start, KERNEL_SECTOR_AT);
  // The drive that the BIOS reports. Some report 0 for a hard disk, so the check of the highest bit is skipped.
  program.writeUInt8(0xff, DRIVE_AT);
  program.writeUInt16LE(0x9090, DRIVE_CHECK_AT);
  const patched = Buffer.alloc(Math.ceil(core.length / SECTOR) * SECTOR);
  core.copy(patched);
  patched.writeBigUInt64LE(start + 1n, LIST_AT);
  patched.writeUInt16LE(patched.length / SECTOR - 1, LIST_AT + 8);
  patched.writeUInt16LE(LIST_SEGMENT, LIST_AT + 10);
  return { program, core: patched };
}
