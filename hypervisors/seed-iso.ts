import type { SeedFiles } from "./hypervisor";

/** The label of the guest's CD, by which cloud-init finds it. */
export const SEED_VOLUME_ID = "cidata";

const SECTOR = 2048;
/** The first 16 sectors of a disc are not part of ISO 9660. */
const FIRST_DESCRIPTOR = 16;
const PATH_TABLE_LITTLE = 18;
const PATH_TABLE_BIG = 19;
const ROOT_FOLDER = 20;
const CONTINUATION = 21;
const FIRST_FILE = 22;

/** One file. Linux shows its Rock Ridge name; the other name fits ISO 9660 level 1. */
interface SeedFile {
  readonly identifier: string;
  readonly name: string;
  readonly content: Buffer;
}

/**
 * The seed as a CD image for cloud-init's NoCloud: ISO 9660 level 1 with Rock Ridge, owned by root and readable only by
 * root. Pure: the same seed gives the same bytes, so it contains no time, host or tool version.
 */
export function seedIso(seed: SeedFiles): Buffer {
  // ISO 9660 requires them in the order of their identifiers.
  const files: readonly SeedFile[] = [
    { identifier: "METADATA.;1", name: "meta-data", content: Buffer.from(seed.metaData) },
    { identifier: "NETCONF.;1", name: "network-config", content: Buffer.from(seed.networkConfig) },
    { identifier: "USERDATA.;1", name: "user-data", content: Buffer.from(seed.userData) },
  ];
  const contents = files.map(({ content }) => padded(content));
  const sectors = FIRST_FILE + contents.reduce((sum, content) => sum + content.length / SECTOR, 0);
  return Buffer.concat([
    Buffer.alloc(FIRST_DESCRIPTOR * SECTOR),
    primaryDescriptor(sectors),
    terminator(),
    padded(pathTable("little")),
    padded(pathTable("big")),
    padded(rootFolder(files)),
    padded(rockRidgeReference()),
    ...contents,
  ]);
}

function primaryDescriptor(sectors: number): Buffer {
  const sector = Buffer.alloc(SECTOR);
  sector.write("\x01CD001\x01", 0, "latin1");
  // Names of people and programs are left empty, which is spaces; so are the volume set and the file names after it.
  sector.fill(" ", 8, 72);
  sector.write(SEED_VOLUME_ID, 40, "latin1");
  bothEndian32(sectors).copy(sector, 80);
  // One disc of one, in blocks of one sector.
  for (const [offset, value] of [
    [120, 1],
    [124, 1],
    [128, SECTOR],
  ] as const) {
    bothEndian16(value).copy(sector, offset);
  }
  bothEndian32(pathTable("little").length).copy(sector, 132);
  sector.writeUInt32LE(PATH_TABLE_LITTLE, 140);
  sector.writeUInt32BE(PATH_TABLE_BIG, 148);
  folderRecord("\0", []).copy(sector, 156);
  sector.fill(" ", 190, 813);
  // Four times "not specified".
  for (let date = 813; date < 881; date += 17) sector.fill("0", date, date + 16);
  sector.writeUInt8(1, 881);
  return sector;
}

function terminator(): Buffer {
  const sector = Buffer.alloc(SECTOR);
  sector.write("\xffCD001\x01", 0, "latin1");
  return sector;
}

/** Lists the folders: the root alone. */
function pathTable(order: "little" | "big"): Buffer {
  const table = Buffer.alloc(10);
  table.writeUInt8(1, 0);
  if (order === "little") {
    table.writeUInt32LE(ROOT_FOLDER, 2);
    table.writeUInt16LE(1, 6);
  } else {
    table.writeUInt32BE(ROOT_FOLDER, 2);
    table.writeUInt16BE(1, 6);
  }
  return table;
}

function rootFolder(files: readonly SeedFile[]): Buffer {
  const self = [
    systemUse("SP", Buffer.from([0xbe, 0xef, 0])),
    posixAttributes(0o040500, 2),
    systemUse(
      "CE",
      Buffer.concat([bothEndian32(CONTINUATION), bothEndian32(0), bothEndian32(rockRidgeReference().length)]),
    ),
  ];
  const records = [folderRecord("\0", self), folderRecord("\x01", [posixAttributes(0o040500, 2)])];
  let sector = FIRST_FILE;
  for (const { identifier, name, content } of files) {
    const named = systemUse("NM", Buffer.concat([Buffer.from([0]), Buffer.from(name, "latin1")]));
    const position = { sector, length: content.length };
    records.push(directoryRecord(identifier, 0, position, [posixAttributes(0o100400, 1), named]));
    sector += padded(content).length / SECTOR;
  }
  return Buffer.concat(records);
}

const folderRecord = (identifier: "\0" | "\x01", uses: readonly Buffer[]): Buffer =>
  directoryRecord(identifier, 2, { sector: ROOT_FOLDER, length: SECTOR }, uses);

/** @param flags 2 for a folder */
function directoryRecord(
  identifier: string,
  flags: number,
  at: { readonly sector: number; readonly length: number },
  uses: readonly Buffer[],
): Buffer {
  const fixed = Buffer.alloc(33);
  bothEndian32(at.sector).copy(fixed, 2);
  bothEndian32(at.length).copy(fixed, 10);
  // Files of a fixed age: the first day that every system can show.
  Buffer.from([80, 1, 1, 0, 0, 0, 0]).copy(fixed, 18);
  fixed.writeUInt8(flags, 25);
  bothEndian16(1).copy(fixed, 28);
  fixed.writeUInt8(identifier.length, 32);
  const record = evened(Buffer.concat([evened(Buffer.concat([fixed, Buffer.from(identifier, "latin1")])), ...uses]));
  record.writeUInt8(record.length, 0);
  return record;
}

/** An entry of the System Use Sharing Protocol, version 1. */
function systemUse(signature: string, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from(signature, "latin1"), Buffer.from([4 + data.length, 1]), data]);
}

/** Mode and links; user and group are root. */
const posixAttributes = (mode: number, links: number): Buffer =>
  systemUse("PX", Buffer.concat([mode, links, 0, 0].map(bothEndian32)));

/** Says that the entries above are Rock Ridge's; too long for a directory record, so it has a sector of its own. */
function rockRidgeReference(): Buffer {
  const identifier = "RRIP_1991A";
  const description = "THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS";
  const source =
    "PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION.";
  const lengths = Buffer.from([identifier.length, description.length, source.length, 1]);
  return systemUse("ER", Buffer.concat([lengths, Buffer.from(identifier + description + source, "latin1")]));
}

/** Padded with zeros to full sectors; an empty file takes none. */
function padded(content: Buffer): Buffer {
  return Buffer.concat([content], Math.ceil(content.length / SECTOR) * SECTOR);
}

const evened = (record: Buffer): Buffer => Buffer.concat([record], record.length + (record.length % 2));

function bothEndian16(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt16LE(value, 0);
  bytes.writeUInt16BE(value, 2);
  return bytes;
}

function bothEndian32(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(value, 0);
  bytes.writeUInt32BE(value, 4);
  return bytes;
}
