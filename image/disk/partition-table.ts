import { crc32 } from "node:zlib";
import { type DiskLayout, type Partition, SECTOR } from "./disk-layout";

const ENTRIES = 128;
const ENTRY_BYTES = 128;
const TABLE_SECTORS = (ENTRIES * ENTRY_BYTES) / SECTOR;

/** A GUID partition table: both copies, and the protective MBR with the boot program for the BIOS. */
export interface PartitionTable {
  /** For offset 0. */
  readonly head: Buffer;
  /** For the end of the disk. */
  readonly tail: Buffer;
}

/** @param bootProgram 440 bytes that the BIOS starts */
export function partitionTable(layout: DiskLayout, bootProgram: Buffer): PartitionTable {
  const sectors = layout.sizeBytes / SECTOR;
  const entries = Buffer.alloc(ENTRIES * ENTRY_BYTES);
  Object.values(layout.partitions).forEach((partition, index) => {
    writeEntry(partition).copy(entries, index * ENTRY_BYTES);
  });
  const primary = header(layout, entries, { own: 1, other: sectors - 1, table: 2 });
  const backup = header(layout, entries, { own: sectors - 1, other: 1, table: sectors - 1 - TABLE_SECTORS });
  return {
    head: Buffer.concat([protectiveRecord(sectors, bootProgram), primary, entries]),
    tail: Buffer.concat([entries, backup]),
  };
}

interface Places {
  readonly own: number;
  readonly other: number;
  readonly table: number;
}

function header(layout: DiskLayout, entries: Buffer, { own, other, table }: Places): Buffer {
  const sectors = layout.sizeBytes / SECTOR;
  const block = Buffer.alloc(SECTOR);
  block.write("EFI PART", 0, "latin1");
  block.writeUInt32LE(0x00010000, 8);
  block.writeUInt32LE(92, 12);
  block.writeBigUInt64LE(BigInt(own), 24);
  block.writeBigUInt64LE(BigInt(other), 32);
  block.writeBigUInt64LE(BigInt(2 + TABLE_SECTORS), 40);
  block.writeBigUInt64LE(BigInt(sectors - TABLE_SECTORS - 2), 48);
  guidBytes(layout.diskGuid).copy(block, 56);
  block.writeBigUInt64LE(BigInt(table), 72);
  block.writeUInt32LE(ENTRIES, 80);
  block.writeUInt32LE(ENTRY_BYTES, 84);
  block.writeUInt32LE(crc32(entries), 88);
  block.writeUInt32LE(crc32(block.subarray(0, 92)), 16);
  return block;
}

function writeEntry({ typeGuid, guid, offsetBytes, sizeBytes, name }: Partition): Buffer {
  const entry = Buffer.alloc(ENTRY_BYTES);
  guidBytes(typeGuid).copy(entry, 0);
  guidBytes(guid).copy(entry, 16);
  entry.writeBigUInt64LE(BigInt(offsetBytes / SECTOR), 32);
  entry.writeBigUInt64LE(BigInt((offsetBytes + sizeBytes) / SECTOR - 1), 40);
  entry.write(name, 56, "utf16le");
  return entry;
}

/** Shows a full disk to programs that do not support GUID tables; the BIOS starts the program in its first bytes. */
function protectiveRecord(sectors: number, bootProgram: Buffer): Buffer {
  const record = Buffer.alloc(SECTOR);
  bootProgram.copy(record, 0, 0, 440);
  record.set([0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff], 446);
  record.writeUInt32LE(1, 454);
  record.writeUInt32LE(Math.min(sectors - 1, 0xffffffff), 458);
  record.writeUInt16LE(0xaa55, 510);
  return record;
}

/** The first three groups are little-endian. */
function guidBytes(guid: string): Buffer {
  const bytes = Buffer.from(guid.replaceAll("-", ""), "hex");
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
