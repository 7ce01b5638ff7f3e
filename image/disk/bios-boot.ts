import { type Partition, SECTOR } from "./disk-layout";

/** Places of GRUB's boot.img that its installer fills in. */
const KERNEL_SECTOR_AT = 0x5c;
const DRIVE_AT = 0x64;
const DRIVE_CHECK_AT = 0x66;
/** The list of blocks at the end of the core's first sector, which loads the rest. */
const LIST_AT = SECTOR - 12;
/** Where the rest is loaded to, divided by 16. */
const LIST_SEGMENT = 0x820;

/**
 * What grub-bios-setup would write, without a device to write to: the program in the disk's first sector, knowing where
 * the core is, and the core for the BIOS boot partition, knowing where its own rest is.
 */
export function biosBoot(bootImage: Buffer, core: Buffer, partition: Partition): { program: Buffer; core: Buffer } {
  if (core.length > partition.sizeBytes) throw new RangeError("GRUB's core does not fit the BIOS boot partition");
  const start = BigInt(partition.offsetBytes / SECTOR);
  const program = Buffer.from(bootImage.subarray(0, 440));
  program.writeBigUInt64LE(start, KERNEL_SECTOR_AT);
  // The drive that the BIOS says; but some say 0 for a hard disk, so its highest bit is not looked at.
  program.writeUInt8(0xff, DRIVE_AT);
  program.writeUInt16LE(0x9090, DRIVE_CHECK_AT);
  const patched = Buffer.alloc(Math.ceil(core.length / SECTOR) * SECTOR);
  core.copy(patched);
  patched.writeBigUInt64LE(start + 1n, LIST_AT);
  patched.writeUInt16LE(patched.length / SECTOR - 1, LIST_AT + 8);
  patched.writeUInt16LE(LIST_SEGMENT, LIST_AT + 10);
  return { program, core: patched };
}
