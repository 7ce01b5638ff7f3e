/**
 * A disk whose boot sector is a minimal guest for the driver: it prints a line on the first serial port, waits, and
 * powers off when its power button is pressed.
 */

const DISK_BYTES = 4 * 1024 * 1024;
const LOAD_ADDRESS = 0x7c00;

/** Hand-assembled 16-bit code. ACPI's registers are at SeaBIOS's addresses. */
const CODE = [
  ...[0x31, 0xc0, 0x8e, 0xd8, 0xfc], // xor ax, ax; mov ds, ax; cld
  ...[0xba, 0x02, 0x06], // mov dx, 0x602 (PM1 event enable)
  ...[0xb8, 0x00, 0x01, 0xef], // mov ax, 0x100 (power button); out dx, ax
  ...[0xbe, 0, 0], // mov si, message
  ...[0xac, 0x84, 0xc0, 0x74, 0x11], // next: lodsb; test al, al; jz idle
  ...[0x88, 0xc4], // mov ah, al
  ...[0xba, 0xfd, 0x03], // mov dx, 0x3fd (COM1, line status)
  ...[0xec, 0xa8, 0x20, 0x74, 0xfb], // wait: in al, dx; test al, 0x20; jz wait
  ...[0x88, 0xe0, 0xb2, 0xf8, 0xee], // mov al, ah; mov dl, 0xf8; out dx, al
  ...[0xeb, 0xea], // jmp next
  ...[0xfb, 0xf4], // idle: sti; hlt (the timer wakes it 18 times a second)
  ...[0xba, 0x00, 0x06, 0xed], // mov dx, 0x600 (PM1 event status); in ax, dx
  ...[0xf6, 0xc4, 0x01, 0x74, 0xf5], // test ah, 1 (power button); jz idle
  ...[0xba, 0x04, 0x06], // mov dx, 0x604 (PM1 control)
  ...[0xb8, 0x00, 0x20, 0xef], // mov ax, 0x2000 (sleep, type "off"); out dx, ax
  ...[0xeb, 0xec], // jmp idle
] as const;
const MESSAGE_ADDRESS_AT = 13;

export const GUEST_LINE = "GUEST-RUNS";

/** A raw disk of 4 MiB. */
export function qemuGuestDisk(): Buffer {
  const disk = Buffer.alloc(DISK_BYTES);
  Buffer.from(CODE).copy(disk);
  disk.writeUInt16LE(LOAD_ADDRESS + CODE.length, MESSAGE_ADDRESS_AT);
  disk.write(`${GUEST_LINE}\r\n\0`, CODE.length, "latin1");
  disk.writeUInt16BE(0x55aa, 510);
  return disk;
}
