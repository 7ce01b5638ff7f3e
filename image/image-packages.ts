import * as path from "node:path";
import type { Host } from "../model/host";
import { type PackageVersions, versionsOf } from "../model/package-lock";
import type { ImageRecord } from "./build/image";
import type { DiskRecord } from "./build/sealed-disk";
import { layerFolder } from "./build-images";
import { installedPackages } from "./packages/installed-packages";
import { partName } from "./parts/part";
import { lockedPackagesOf } from "./recipes/locked-recipes";
import type { ImageRecipe } from "./recipes/recipe";
import { sealedDigest } from "./store/sealed-folder";

/** The record of an image on this host; `undefined` if it is absent, incomplete, or of a version that wrote another record. */
export async function imageRecord(
  { files, folders }: Host,
  name: string,
): Promise<ImageRecord | DiskRecord | undefined> {
  const file = path.join(folders.images(), name, "image.json");
  const record = await files.readJson<ImageRecord | DiskRecord>(file).catch(() => undefined);
  return record?.recipe?.rootTree === undefined ? undefined : record;
}

/** What is installed in an image: by its recipe's lock, else by dpkg's record. `undefined` where neither is on this host. */
export async function packagesOfImage(host: Host, name: string): Promise<PackageVersions | undefined> {
  const record = await imageRecord(host, name);
  if (record === undefined) return undefined;
  const locked = lockedPackagesOf(record.recipe);
  if (locked) return versionsOf(locked);
  if (!record.recipe.disk) return installedPackages(host, path.join(host.folders.images(), name, "layers", "base"));
  return installedInDisk(host, record.recipe);
}

/** A disk is not read, but the layer with its kernel has a record of all packages. A disk from a bundle has no layers here. */
async function installedInDisk(host: Host, { rootTree, disk }: ImageRecipe): Promise<PackageVersions | undefined> {
  const base = path.join(host.folders.parts(), partName({ kind: "root-tree", recipe: rootTree }));
  const digest = await sealedDigest(host, base);
  if (digest === undefined) return undefined;
  const layer = layerFolder(host, "disk", { disk, suite: rootTree.suite }, digest);
  return installedPackages(host, path.join(layer, "content"));
}
