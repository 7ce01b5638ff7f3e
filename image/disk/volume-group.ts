import { crc32 } from "node:zlib";
import type { ImageKind } from "../../model/volumes";
import type { DiskRecipe } from "../recipes/recipe";
import { type DiskLayout, EXTENT_BYTES, FIRST_EXTENT_BYTES, identity, type PlacedVolume, SECTOR } from "./disk-layout";

/** Where the metadata area begins in the partition; it ends at the first extent. */
const METADATA_OFFSET = 4096;
const METADATA_HEADER_BYTES = 512;
const METADATA_MAGIC = " LVM2 x[5A%r0N*>";
/** LVM's start value; unlike zlib, LVM does not invert before and after. */
const CRC_START = 0xf597a6cf;

/**
 * The bytes before the first extent of a physical volume with one volume group and linear volumes, in LVM2's text
 * format: label, header, metadata. Not written by LVM, which needs root and the kernel's device-mapper.
 */
export function volumeGroupHead(kind: ImageKind, recipe: DiskRecipe, layout: DiskLayout): Buffer {
  const head = Buffer.alloc(FIRST_EXTENT_BYTES);
  const text = Buffer.from(`${metadataText(kind, recipe, layout)}\0`, "latin1");
  if (text.length > FIRST_EXTENT_BYTES - METADATA_OFFSET - METADATA_HEADER_BYTES) {
    throw new RangeError("the metadata of the volume group do not fit");
  }
  label(kind, layout).copy(head, SECTOR);
  metadataHeader(text).copy(head, METADATA_OFFSET);
  text.copy(head, METADATA_OFFSET + METADATA_HEADER_BYTES);
  return head;
}

function label(kind: ImageKind, layout: DiskLayout): Buffer {
  const sector = Buffer.alloc(SECTOR);
  sector.write("LABELONE", 0, "latin1");
  sector.writeBigUInt64LE(1n, 8);
  sector.writeUInt32LE(32, 20);
  sector.write("LVM2 001", 24, "latin1");
  sector.write(lvmUuid(kind, "physical volume"), 32, "latin1");
  const numbers = [
    layout.partitions.volumes.sizeBytes,
    // One data area, up to the end; then one metadata area; each list ends with a pair of zeros.
    ...[FIRST_EXTENT_BYTES, 0, 0, 0],
    ...[METADATA_OFFSET, FIRST_EXTENT_BYTES - METADATA_OFFSET, 0, 0],
  ];
  numbers.forEach((number, index) => {
    sector.writeBigUInt64LE(BigInt(number), 64 + 8 * index);
  });
  const extension = 64 + 8 * numbers.length;
  sector.writeUInt32LE(2, extension);
  // In use by a volume group.
  sector.writeUInt32LE(1, extension + 4);
  sector.writeUInt32LE(lvmCrc(sector.subarray(20)), 16);
  return sector;
}

function metadataHeader(text: Buffer): Buffer {
  const header = Buffer.alloc(METADATA_HEADER_BYTES);
  header.write(METADATA_MAGIC, 4, "latin1");
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(METADATA_OFFSET), 24);
  header.writeBigUInt64LE(BigInt(FIRST_EXTENT_BYTES - METADATA_OFFSET), 32);
  header.writeBigUInt64LE(BigInt(METADATA_HEADER_BYTES), 40);
  header.writeBigUInt64LE(BigInt(text.length), 48);
  header.writeUInt32LE(lvmCrc(text), 56);
  header.writeUInt32LE(lvmCrc(header.subarray(4)), 0);
  return header;
}

const lvmCrc = (bytes: Buffer): number => ~crc32(bytes, ~CRC_START >>> 0) >>> 0;

function metadataText(kind: ImageKind, recipe: DiskRecipe, layout: DiskLayout): string {
  const { sizeBytes } = layout.partitions.volumes;
  return `${recipe.volumeGroup} {
id = "${dashed(lvmUuid(kind, "volume group"))}"
seqno = 1
format = "lvm2"
status = ["RESIZEABLE", "READ", "WRITE"]
flags = []
extent_size = ${EXTENT_BYTES / SECTOR}
max_lv = 0
max_pv = 0
metadata_copies = 0

physical_volumes {

pv0 {
id = "${dashed(lvmUuid(kind, "physical volume"))}"
device = "unknown"
status = ["ALLOCATABLE"]
flags = []
dev_size = ${sizeBytes / SECTOR}
pe_start = ${FIRST_EXTENT_BYTES / SECTOR}
pe_count = ${layout.extents}
}
}

logical_volumes {
${layout.volumes.map((volume) => volumeText(kind, recipe, volume)).join("")}}
}
contents = "Text Format Volume Group"
version = 1

description = ""

creation_host = "groundplane"
creation_time = ${recipe.sealedAt}

`;
}

function volumeText(kind: ImageKind, recipe: DiskRecipe, volume: PlacedVolume): string {
  return `
${volume.name} {
id = "${dashed(lvmUuid(kind, `volume ${volume.name}`))}"
status = ["READ", "WRITE", "VISIBLE"]
flags = []
creation_time = ${recipe.sealedAt}
creation_host = "groundplane"
segment_count = 1

segment1 {
start_extent = 0
extent_count = ${volume.extents}

type = "striped"
stripe_count = 1

stripes = [
"pv0", ${volume.firstExtent}
]
}
}
`;
}

/** 32 characters of LVM's alphabet. */
const lvmUuid = (kind: ImageKind, what: string): string => identity(kind, `lvm ${what}`).replaceAll("-", "");

const dashed = (uuid: string): string =>
  uuid.replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, "$1-$2-$3-$4-$5-$6-$7");
