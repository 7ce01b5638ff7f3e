import type { Command } from "commander";
import { imagesFolder } from "../../host/data-folder";
import { localHost } from "../../host/local-host";
import { packageLocks } from "../../host/package-lock-file";
import { isDiscarded } from "../../host/remove-aside";
import { imageNamesOf } from "../../image/checks";
import { imageRecord } from "../../image/image-packages";
import { imageName, lockedImageRecipes } from "../../image/recipes/image-names";
import { lockedPackagesOf } from "../../image/recipes/locked-recipes";
import { packageLockFile } from "../../model/package-lock";
import { driverFor } from "../driver";
import { type ReportOptions, reportCommand } from "../options";
import { print, printJson, table } from "../print";
import { imageWishesOf, readConfiguration } from "../project";
import { usersOfImages } from "../prune-areas";

/** One image on this host, or one that the stack needs. */
export interface ListedImage {
  readonly name: string;
  readonly present: boolean;
  /** The stack's machines are made from it. */
  readonly ofStack: boolean;
  readonly distribution?: string;
  /** Of masters and workers. */
  readonly kubernetesVersion?: string;
  /** Absent: it was built without a lock, or its record cannot be read. */
  readonly lockedPackages?: number;
  /** Package locks of this checkout that make this image. */
  readonly packageLocks: readonly string[];
  readonly usedBy: readonly string[];
}

/** Of a build that runs or was interrupted, or of a removal. */
const isUnfinished = (name: string): boolean => name.endsWith(".partial") || isDiscarded(name);

export function listCommand(): Command {
  return reportCommand("list", "list the images on this host with their package locks").action(
    async ({ stack, json }: ReportOptions) => {
      const images = await listImages(stack);
      if (json) printJson(images);
      else print(renderImages(images));
    },
  );
}

async function listImages(stack: string): Promise<readonly ListedImage[]> {
  const configuration = await readConfiguration(stack);
  const { driver } = await driverFor(configuration);
  const wanted = imageNamesOf(driver, await imageWishesOf(configuration));
  const locks = new Map<string, readonly string[]>();
  for (const [owner, lock] of await packageLocks())
    for (const name of new Set(lockedImageRecipes(lock).map(imageName)))
      locks.set(name, [...(locks.get(name) ?? []), packageLockFile(owner)]);
  const here = (await localHost.files.list(imagesFolder())).filter((name) => !isUnfinished(name));
  const users = await usersOfImages();
  const described = [...new Set([...wanted, ...here])].map(async (name): Promise<ListedImage> => {
    const record = await imageRecord(localHost, name);
    const { rootTree, kubernetes } = record?.recipe ?? {};
    const locked = record && lockedPackagesOf(record.recipe);
    return {
      name,
      present: record !== undefined,
      ofStack: wanted.includes(name),
      ...(rootTree && { distribution: `${rootTree.distribution ?? "debian"} ${rootTree.suite}` }),
      ...(kubernetes && { kubernetesVersion: kubernetes.version }),
      ...(locked && { lockedPackages: locked.length }),
      packageLocks: locks.get(name) ?? [],
      usedBy: users.get(name) ?? [],
    };
  });
  return Promise.all(described);
}

export function renderImages(images: readonly ListedImage[]): string {
  const rows = images.map((image) => [
    image.name,
    image.present ? (image.ofStack ? "of the stack" : "") : image.ofStack ? "missing" : "unreadable",
    image.kubernetesVersion ?? "",
    image.distribution ?? "",
    packagesOf(image),
    image.usedBy.join(", "),
  ]);
  return table([["IMAGE", "STATE", "KUBERNETES", "DISTRIBUTION", "PACKAGES", "USED BY"], ...rows]);
}

function packagesOf({ present, lockedPackages, packageLocks: locks }: ListedImage): string {
  if (locks.length > 0) return locks.join(", ");
  if (!present) return "";
  return lockedPackages === undefined ? "no lock" : `another lock, ${lockedPackages} packages`;
}
