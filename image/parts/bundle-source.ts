import * as path from "node:path";
import type { Host } from "../../model/host";
import { type BundledFile, type BundledPart, damaged, MANIFEST_NAME, parseBundleManifest } from "./bundle-manifest";
import { type Part, type PartSource, partName, partTitle } from "./part";

/** What `loadBundle` unpacked; one bundle at a time. */
export const bundleFolder = ({ folders }: Host): string => path.join(folders.data(), "bundle");

/** Parts from the loaded bundle. Needs no network. */
export const bundleSource = (host: Host): PartSource => ({
  name: "bundle",
  provides: () => true,
  available: async (part) => {
    const parts = await loadedParts(host).catch(() => []);
    if (parts.length === 0) return { usable: false, reason: "no bundle has been loaded" };
    if (part && !parts.some((each) => each.name === partName(part))) {
      return { usable: false, reason: `the loaded bundle has no ${partTitle(part)} of this recipe` };
    }
    return { usable: true, reason: `a bundle with ${parts.length} parts has been loaded` };
  },
  fetch: async (part, target) => {
    const bundled = (await loadedParts(host)).find((each) => each.name === partName(part));
    if (!bundled) throw damaged(bundleFolder(host), `it has no ${partTitle(part)}`);
    for (const file of bundled.files) await place(host, file, part.kind, target);
    return `${bundled.origin}, by way of a bundle`;
  },
});

async function loadedParts(host: Host): Promise<readonly BundledPart[]> {
  const text = await host.files.readText(path.join(bundleFolder(host), MANIFEST_NAME));
  return text === undefined ? [] : parseBundleManifest(text, bundleFolder(host)).parts;
}

async function place(host: Host, file: BundledFile, kind: Part["kind"], target: string): Promise<void> {
  const from = path.join(bundleFolder(host), file.path);
  if ((await host.files.digest(from).catch(() => undefined)) !== file.sha256)
    throw damaged(bundleFolder(host), `${file.path} has changed`);
  if (kind === "root-tree") return unpackTree(host, from, target);
  if (kind === "disk") return unpackDisk(host, from, path.join(target, "disk.raw"));
  await host.trees.copyFile(from, path.join(target, path.basename(file.path)), 0o755);
}

/** For the host's tar: keeps owners, hard links and capabilities. Devices are not needed, and not every user can create them. */
const TAR_KEEPS = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--exclude=./dev/*"];

export async function packTree({ run }: Host, tree: string, archive: string, signal?: AbortSignal): Promise<void> {
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
  await run(argv, { signal });
}

async function unpackTree({ run }: Host, archive: string, tree: string): Promise<void> {
  await run(["tar", "--extract", "--same-permissions", ...TAR_KEEPS, `--file=${archive}`, `--directory=${tree}`]);
}

/** Uses all cores and little memory. A higher level would gain little: a disk is mostly packages. */
export async function packDisk({ run }: Host, disk: string, archive: string, signal?: AbortSignal): Promise<void> {
  await run(["zstd", "--quiet", "-3", "--threads=0", disk, "-o", archive], { signal });
}

async function unpackDisk({ run }: Host, archive: string, disk: string): Promise<void> {
  await run(["zstd", "--quiet", "--decompress", "--sparse", "--force", archive, "-o", disk]);
}
