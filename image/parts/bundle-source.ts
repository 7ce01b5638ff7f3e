import * as fs from "node:fs/promises";
import * as path from "node:path";
import { dataFolder } from "../../host/data-folder";
import { digestFile } from "../../host/digest-file";
import { readIfPresent } from "../../host/file-store";
import { runCommand } from "../../host/run-command";
import { type BundledFile, type BundledPart, damaged, MANIFEST_NAME, parseBundleManifest } from "./bundle-manifest";
import { type Part, type PartSource, partName, partTitle } from "./part";

/** What `loadBundle` unpacked; one at a time. */
export const bundleFolder = (): string => path.join(dataFolder(), "bundle");

/** Parts from the bundle that was loaded; needs no network. */
export const bundleSource: PartSource = {
  name: "bundle",
  provides: () => true,
  available: async (part) => {
    const parts = await loadedParts().catch(() => []);
    if (parts.length === 0) return { usable: false, reason: "no bundle has been loaded" };
    if (part && !parts.some((each) => each.name === partName(part))) {
      return { usable: false, reason: `the loaded bundle has no ${partTitle(part)} of this recipe` };
    }
    return { usable: true, reason: `a bundle with ${parts.length} parts has been loaded` };
  },
  fetch: async (part, target) => {
    const bundled = (await loadedParts()).find((each) => each.name === partName(part));
    if (!bundled) throw damaged(bundleFolder(), `it has no ${partTitle(part)}`);
    for (const file of bundled.files) await place(file, part.kind, target);
    return `${bundled.origin}, by way of a bundle`;
  },
};

async function loadedParts(): Promise<readonly BundledPart[]> {
  const text = await readIfPresent(path.join(bundleFolder(), MANIFEST_NAME));
  return text === undefined ? [] : parseBundleManifest(text, bundleFolder()).parts;
}

async function place(file: BundledFile, kind: Part["kind"], target: string): Promise<void> {
  const from = path.join(bundleFolder(), file.path);
  if ((await digestFile(from).catch(() => undefined)) !== file.sha256)
    throw damaged(bundleFolder(), `${file.path} has changed`);
  if (kind === "root-tree") return unpackTree(from, target);
  if (kind === "disk") return unpackDisk(from, path.join(target, "disk.raw"));
  const program = path.join(target, path.basename(file.path));
  await fs.copyFile(from, program);
  await fs.chmod(program, 0o755);
}

/** The host's tar: it keeps owners, hard links and capabilities. Nobody needs devices, and not every user can make them. */
const TAR_KEEPS = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--exclude=./dev/*"];

export async function packTree(tree: string, archive: string, signal?: AbortSignal): Promise<void> {
  const argv = [
    "tar",
    "--create",
    "--format=posix",
    "--sort=name",
    ...TAR_KEEPS,
    `--file=${archive}`,
    `--directory=${tree}`,
    ".",
  ];
  await runCommand(argv, { signal });
}

async function unpackTree(archive: string, tree: string): Promise<void> {
  await runCommand([
    "tar",
    "--extract",
    "--same-permissions",
    ...TAR_KEEPS,
    `--file=${archive}`,
    `--directory=${tree}`,
  ]);
}

/** Many cores, little memory; a disk is mostly packages, which hardly shrink further. */
export async function packDisk(disk: string, archive: string, signal?: AbortSignal): Promise<void> {
  await runCommand(["zstd", "--quiet", "-3", "--threads=0", disk, "-o", archive], { signal });
}

async function unpackDisk(archive: string, disk: string): Promise<void> {
  await runCommand(["zstd", "--quiet", "--decompress", "--sparse", "--force", archive, "-o", disk]);
}
