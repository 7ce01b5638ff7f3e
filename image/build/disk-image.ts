import * as path from "node:path";
import type { Host } from "../../model/host";
import type { ImageKind } from "../../model/volumes";
import { biosBoot, fstab, grubConfiguration, loadGrubConfiguration } from "../disk/boot-files";
import { type DiskLayout, layOutDisk, MIB } from "../disk/disk-layout";
import { efiPartition } from "../disk/efi-partition";
import { partitionTable } from "../disk/partition-table";
import { volumeGroupHead } from "../disk/volume-group";
import type { DiskRecipe } from "../recipes/recipe";
import type { BuildContext } from "../store/build-context";
import { overlayMarks, runBuildScript } from "./build-script";

export interface DiskContent {
  /** Folders from top to bottom. */
  readonly layers: readonly string[];
  /** The containerd store, where nodes have one. */
  readonly store?: string;
}

const PHASE = "disk image";

/** Features that both GRUB for the BIOS and the kernel's ext4 support. */
const BOOT_FEATURES = "^metadata_csum,^metadata_csum_seed,^orphan_file,^64bit";
const VOLUME_FEATURES = "64bit";

/**
 * Writes a sparse disk with LVM that boots from BIOS and UEFI. File systems are filled without being mounted, and
 * everything around them is computed, so that neither the device-mapper nor a loop device is needed.
 * @param target the file; its folder must have room for the content twice
 * @throws UserError `command-failed` with the tool's output, e.g. when files do not fit a volume
 */
export async function buildDiskImage(
  kind: ImageKind,
  recipe: DiskRecipe,
  content: DiskContent,
  target: string,
  context: BuildContext,
): Promise<void> {
  const layout = layOutDisk(kind, recipe);
  const work = await context.host.trees.createFolderBeside(`${target}-work-`);
  try {
    const out = await makeFileSystems(recipe, layout, content, work, context);
    await writeDisk(context.host, kind, recipe, layout, out, target);
    context.progress({ phase: PHASE, message: "copying file systems" });
    const { boot } = layout.partitions;
    await copySparse(path.join(out, "boot.ext4"), target, boot.offsetBytes, context);
    for (const { name, offsetBytes } of layout.volumes) {
      await copySparse(path.join(out, `${name}.ext4`), target, offsetBytes, context);
    }
  } finally {
    await context.host.files.remove(work);
  }
}

async function makeFileSystems(
  recipe: DiskRecipe,
  layout: DiskLayout,
  { layers, store = "" }: DiskContent,
  work: string,
  context: BuildContext,
): Promise<string> {
  const [inputs, out, scratch] = ["files", "out", "scratch"].map((name) => path.join(work, name)) as [
    string,
    string,
    string,
  ];
  const { files, trees } = context.host;
  for (const folder of [inputs, out, scratch]) await trees.createFolder(folder);
  await files.writeAtomic(path.join(inputs, "fstab"), fstab(recipe, layout), 0o644);
  await files.writeAtomic(path.join(inputs, "grub.cfg"), grubConfiguration(recipe), 0o644);
  await files.writeAtomic(path.join(inputs, "load.cfg"), loadGrubConfiguration(layout), 0o644);
  const { boot } = layout.partitions;
  const volumes = [
    ["/boot", "boot", boot.sizeBytes / MIB, boot.guid, BOOT_FEATURES],
    ...layout.volumes.map((each) => [each.mountPoint, each.name, each.sizeBytes / MIB, each.uuid, VOLUME_FEATURES]),
  ];
  const env = {
    LAYERS: layers.join(":"),
    STORE: store,
    WORK: scratch,
    OUT: out,
    FILES: inputs,
    MARKS: (await overlayMarks(context.host)) || ",metacopy=on",
    VOLUMES: volumes.map((line) => line.join(" ")).join("\n"),
    SOURCE_DATE_EPOCH: String(recipe.sealedAt),
  };
  await runBuildScript("make-file-systems.sh", PHASE, { env }, context);
  return out;
}

/** Writes everything except the ext4 file systems. */
async function writeDisk(
  { trees }: Host,
  kind: ImageKind,
  recipe: DiskRecipe,
  layout: DiskLayout,
  from: string,
  target: string,
): Promise<void> {
  const read = (name: string): Promise<Buffer> => trees.readBytes(path.join(from, name));
  const { "bios-boot": bios, efi, volumes } = layout.partitions;
  const { program, core } = biosBoot(await read("boot.img"), await read("core.img"), bios);
  const table = partitionTable(layout, program);
  const serial = Number.parseInt(efi.guid.slice(0, 8), 16);
  const pieces: readonly (readonly [number, Buffer])[] = [
    [0, table.head],
    [bios.offsetBytes, core],
    [efi.offsetBytes, efiPartition(efi.sizeBytes, await read("bootx64.efi"), serial)],
    [volumes.offsetBytes, volumeGroupHead(kind, recipe, layout)],
    [layout.sizeBytes - table.tail.length, table.tail],
  ];
  await trees.writeSparse(target, layout.sizeBytes, pieces);
}

async function copySparse(from: string, to: string, at: number, { host, signal }: BuildContext): Promise<void> {
  const argv = ["dd", `if=${from}`, `of=${to}`, "bs=64K", "conv=sparse,notrunc", "oflag=seek_bytes", `seek=${at}`];
  await host.run([...argv, "status=none"], { signal });
  await host.files.remove(from);
}
