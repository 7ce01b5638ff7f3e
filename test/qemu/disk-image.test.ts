import * as assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import { before, test } from "node:test";
import { crc32 } from "node:zlib";
import { dataFolder, imagesFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import type { DiskRecord } from "../../image/build/sealed-disk";
import { ensureImages } from "../../image/build-images";
import { buildingProblem } from "../../image/build-in-namespace";
import { layOutDisk, MIB, SECTOR } from "../../image/disk/disk-layout";
import { disk as recipe } from "../../image/recipes/disk";
import { imageFor } from "../../image/recipes/image-names";
import { defaultKubernetesVersion } from "../../model/releases";

const name = imageFor("infrastructure", defaultKubernetesVersion, "disk");
const layout = layOutDisk("infrastructure", recipe);
const file = path.join(imagesFolder(), name, "disk.raw");

/** Examines the disk with other programs, without the code that wrote it. */
async function bytesAt(offset: number, length: number): Promise<Buffer> {
  const handle = await fs.open(file);
  try {
    return (await handle.read(Buffer.alloc(length), 0, length, offset)).buffer;
  } finally {
    await handle.close();
  }
}

buildingProblem(localHost).then((problem) => {
  const skip = problem?.problem ?? false;

  before(async () => {
    if (!skip) await ensureImages(localHost, { names: [name] });
  });

  test("both partition tables are valid and name the same partitions", { skip }, async () => {
    const { size, blocks } = await fs.stat(file);
    assert.equal(size, layout.sizeBytes);
    assert.ok(blocks * 512 < size / 2, "it is sparse");
    const headers = [await bytesAt(SECTOR, SECTOR), await bytesAt(size - SECTOR, SECTOR)];
    for (const header of headers) {
      assert.equal(header.toString("latin1", 0, 8), "EFI PART");
      const sum = header.readUInt32LE(16);
      const cleared = Buffer.from(header.subarray(0, 92));
      cleared.writeUInt32LE(0, 16);
      assert.equal(crc32(cleared), sum);
      const table = await bytesAt(Number(header.readBigUInt64LE(72)) * SECTOR, 128 * 128);
      assert.equal(crc32(table), header.readUInt32LE(88));
      const names = [0, 1, 2, 3].map((index) => {
        const label = table.toString("utf16le", 128 * index + 56, 128 * (index + 1));
        return label.replaceAll("\0", "");
      });
      assert.deepEqual(names, ["bios-boot", "efi", "boot", "volumes"]);
    }
  });

  test("BIOS finds GRUB in the first sector and its core after it, and UEFI finds a program on a FAT file system", {
    skip,
  }, async () => {
    const [record, core] = [await bytesAt(0, SECTOR), await bytesAt(MIB, SECTOR)];
    assert.equal(record.readUInt16LE(510), 0xaa55);
    assert.ok(record.includes("GRUB"));
    assert.equal(Number(record.readBigUInt64LE(0x5c)), MIB / SECTOR);
    assert.equal(Number(core.readBigUInt64LE(SECTOR - 12)), MIB / SECTOR + 1);
    const efi = await bytesAt(layout.partitions.efi.offsetBytes, 2 * MIB);
    assert.equal(efi.toString("latin1", 54, 59), "FAT16");
    assert.ok(efi.includes("BOOTX64 EFI"));
  });

  test("the volume group's metadata names every volume, and each volume has its file system", { skip }, async () => {
    const head = await bytesAt(layout.partitions.volumes.offsetBytes, MIB);
    assert.equal(head.toString("latin1", 512, 520), "LABELONE");
    assert.equal(head.toString("latin1", 4100, 4116), " LVM2 x[5A%r0N*>");
    for (const { name: volume, extents, firstExtent, offsetBytes, sizeBytes, uuid } of layout.volumes) {
      const text = head.toString("latin1", 4608);
      assert.match(
        text,
        new RegExp(`\\n${volume} \\{[^}]*extent_count = ${extents}\\b[^}]*"pv0", ${firstExtent}\\n`, "s"),
      );
      const superblock = await bytesAt(offsetBytes + 1024, 1024);
      assert.equal(superblock.readUInt16LE(56), 0xef53, volume);
      assert.equal(superblock.readUInt32LE(4) * 4096, sizeBytes, volume);
      assert.equal(superblock.toString("hex", 104, 120), uuid.replaceAll("-", ""));
    }
  });

  test("the same parts give the same disk, byte for byte", { skip }, async (t) => {
    const sealed = JSON.parse(await fs.readFile(path.join(imagesFolder(), name, "image.json"), "utf8")) as DiskRecord;
    const parts = path.join(dataFolder(), "parts");
    const own = await fs.mkdtemp(path.join(os.tmpdir(), "groundplane-data-"));
    const data = process.env.GROUNDPLANE_DATA;
    t.after(async () => {
      if (data === undefined) delete process.env.GROUNDPLANE_DATA;
      else process.env.GROUNDPLANE_DATA = data;
      await fs.rm(own, { recursive: true });
    });
    await fs.symlink(parts, path.join(own, "parts"));
    process.env.GROUNDPLANE_DATA = own;
    const [again] = await ensureImages(localHost, { names: [name] });
    assert.equal(again?.digest, sealed.digest);
  });
});
