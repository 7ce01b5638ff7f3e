import { SECTOR } from "./disk-layout";

const SECTORS_PER_CLUSTER = 4;
const CLUSTER = SECTOR * SECTORS_PER_CLUSTER;
const ROOT_ENTRIES = 512;
const RESERVED_SECTORS = 4;
const END_OF_CHAIN = 0xffff;
const FOLDER = 0x10;
const FILE = 0x20;

/**
 * A FAT16 file system with one file, `/EFI/BOOT/BOOTX64.EFI`: what UEFI starts from a disk without a boot entry.
 * @param serial the volume's serial number, any 32 bits
 */
export function efiPartition(sizeBytes: number, program: Buffer, serial: number): Buffer {
  const sectors = sizeBytes / SECTOR;
  const sectorsPerFat = Math.ceil((sectors / SECTORS_PER_CLUSTER + 2) / (SECTOR / 2));
  const rootStart = RESERVED_SECTORS + 2 * sectorsPerFat;
  const dataStart = rootStart + (ROOT_ENTRIES * 32) / SECTOR;
  const clusters = Math.floor((sectors - dataStart) / SECTORS_PER_CLUSTER);
  // With fewer or more, firmware would treat it as FAT12 or FAT32.
  if (clusters < 4085 || clusters > 65524) throw new RangeError(`${sizeBytes} bytes cannot be a FAT16 file system`);
  const image = Buffer.alloc(sizeBytes);
  bootSector(sectors, sectorsPerFat, serial).copy(image);
  const inCluster = (cluster: number): number => dataStart * SECTOR + (cluster - 2) * CLUSTER;
  const fileClusters = Math.ceil(program.length / CLUSTER);
  if (fileClusters > clusters - 2) throw new RangeError("the boot program does not fit the EFI partition");
  entry("EFI", FOLDER, 2, 0).copy(image, rootStart * SECTOR);
  folder(2, 0, entry("BOOT", FOLDER, 3, 0)).copy(image, inCluster(2));
  folder(3, 2, entry("BOOTX64 EFI", FILE, 4, program.length)).copy(image, inCluster(3));
  program.copy(image, inCluster(4));
  const table = allocationTable(sectorsPerFat * SECTOR, fileClusters);
  table.copy(image, RESERVED_SECTORS * SECTOR);
  table.copy(image, (RESERVED_SECTORS + sectorsPerFat) * SECTOR);
  return image;
}

function bootSector(sectors: number, sectorsPerFat: number, serial: number): Buffer {
  const sector = Buffer.alloc(SECTOR);
  sector.set([0xeb, 0x3c, 0x90]);
  sector.write("MSDOS5.0", 3, "latin1");
  sector.writeUInt16LE(SECTOR, 11);
  sector.writeUInt8(SECTORS_PER_CLUSTER, 13);
  sector.writeUInt16LE(RESERVED_SECTORS, 14);
  sector.writeUInt8(2, 16);
  sector.writeUInt16LE(ROOT_ENTRIES, 17);
  sector.writeUInt16LE(sectors < 0x10000 ? sectors : 0, 19);
  sector.writeUInt8(0xf8, 21);
  sector.writeUInt16LE(sectorsPerFat, 22);
  sector.writeUInt16LE(63, 24);
  sector.writeUInt16LE(255, 26);
  sector.writeUInt32LE(sectors < 0x10000 ? 0 : sectors, 32);
  sector.writeUInt8(0x80, 36);
  sector.writeUInt8(0x29, 38);
  sector.writeUInt32LE(serial, 39);
  sector.write("EFI        FAT16   ", 43, "latin1");
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

function allocationTable(bytes: number, fileClusters: number): Buffer {
  const table = Buffer.alloc(bytes);
  const chain = [0xfff8, END_OF_CHAIN, END_OF_CHAIN, END_OF_CHAIN];
  chain.forEach((value, cluster) => {
    table.writeUInt16LE(value, 2 * cluster);
  });
  for (let index = 0; index < fileClusters; index++) {
    const cluster = 4 + index;
    table.writeUInt16LE(index === fileClusters - 1 ? END_OF_CHAIN : cluster + 1, 2 * cluster);
  }
  return table;
}

function folder(own: number, parent: number, content: Buffer): Buffer {
  return Buffer.concat([entry(".", FOLDER, own, 0), entry("..", FOLDER, parent, 0), content]);
}

/** @param name 8 characters and 3 without the dot, padded with blanks */
function entry(name: string, attributes: number, cluster: number, size: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.write(name.padEnd(11), 0, "latin1");
  bytes.writeUInt8(attributes, 11);
  // 2026-01-01; FAT counts from 1980.
  const date = ((2026 - 1980) << 9) | (1 << 5) | 1;
  for (const at of [16, 18, 24]) bytes.writeUInt16LE(date, at);
  bytes.writeUInt16LE(cluster, 26);
  bytes.writeUInt32LE(size, 28);
  return bytes;
}
