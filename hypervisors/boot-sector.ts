/**
 * The smallest system that a virtual machine can boot: one sector that prints a line on the first serial port, sleeps, and
 * shuts down when VirtualBox presses the power button. It tests creating, starting and stopping machines without an image
 * of hundreds of megabytes.
 */

const SECTOR_BYTES = 512;
/** The address to which a BIOS loads the sector. */
const LOAD_ADDRESS = 0x7c00;
/** Some hypervisors refuse disks that are smaller than a cylinder. */
const DISK_BYTES = 4 * 1024 * 1024;

/** Hand-assembled 16-bit code; the jumps are relative, so only the message's address depends on what follows. */
const CODE = [
  0xfa, // cli
  ...[0x31, 0xc0], // xor ax, ax
  ...[0x8e, 0xd8], // mov ds, ax
  0xfc, // cld
  ...[0xbe, 0, 0], // mov si, message
  0xac, // next: lodsb
  ...[0x84, 0xc0], // test al, al
  ...[0x74, 0x11], // jz end
  ...[0x88, 0xc4], // mov ah, al
  ...[0xba, 0xfd, 0x03], // mov dx, 0x3fd (COM1, line status)
  0xec, // wait: in al, dx
  ...[0xa8, 0x20], // test al, 0x20 (may another byte be sent?)
  ...[0x74, 0xfb], // jz wait
  ...[0x88, 0xe0], // mov al, ah
  ...[0xb2, 0xf8], // mov dl, 0xf8 (COM1, data)
  0xee, // out dx, al
  ...[0xeb, 0xea], // jmp next
  0xfb, // end: sti (the clock's ticks wake it up)
  ...[0xba, 0x00, 0x40], // mov dx, 0x4000 (ACPI status, where VirtualBox's BIOS puts it)
  0xf4, // sleep: hlt
  0xed, // in ax, dx
  ...[0xf6, 0xc4, 0x01], // test ah, 1 (was the power button pressed?)
  ...[0x74, 0xf9], // jz sleep
  ...[0xba, 0x04, 0x40], // mov dx, 0x4004 (ACPI control)
  ...[0xb8, 0x00, 0x34], // mov ax, 0x3400 (off)
  0xef, // out dx, ax
  ...[0xeb, 0xec], // jmp end
] as const;
const MESSAGE_ADDRESS_AT = 7;

/**
 * The boot sector, 512 bytes. `line` is plain ASCII and is printed on the console, followed by CR LF.
 * @throws RangeError when it does not fit, or contains anything but printable characters
 */
export function bootSector(line: string): Buffer {
  const room = SECTOR_BYTES - 2 - CODE.length - 3;
  if (!/^[\x20-\x7e]+$/.test(line) || line.length > room) {
    throw new RangeError(`a boot sector says 1 to ${room} printable ASCII characters`);
  }
  const sector = Buffer.alloc(SECTOR_BYTES);
  Buffer.from(CODE).copy(sector);
  sector.writeUInt16LE(LOAD_ADDRESS + CODE.length, MESSAGE_ADDRESS_AT);
  sector.write(`${line}\r\n\0`, CODE.length, "latin1");
  sector.writeUInt16BE(0x55aa, SECTOR_BYTES - 2);
  return sector;
}

/** A raw disk of 4 MiB that starts with that sector. */
export function bootSectorDisk(line: string): Buffer {
  const disk = Buffer.alloc(DISK_BYTES);
  bootSector(line).copy(disk);
  return disk;
}
