import * as path from "node:path";
import { dataFolder, imagesFolder, partsFolder, pulumiHomeFolder, toolsFolder } from "../host/data-folder";
import { localHost } from "../host/local-host";
import { packageLocks } from "../host/package-lock-file";
import { removeAside } from "../host/remove-aside";
import { driverByName } from "../hypervisors/driver-by-name";
import type { Hypervisor } from "../hypervisors/hypervisor";
import { recordedImages } from "../hypervisors/recorded-images";
import { isLeftover, recordIn, snapshotsFolder, snapshotsLock } from "../hypervisors/snapshots/snapshot-files";
import { buildLock } from "../image/build-images";
import { OLDEST_GO } from "../image/parts/go-toolchain";
import { imageNamesIn } from "../image/recipes/image-names";
import { storedImages, type Users } from "../image/stored-images";
import { driverNames } from "../model/drivers";
import { isObjectName } from "../model/object-names";
import type { StoredItem } from "../model/stored-item";
import { goFolder } from "../toolchain/obtain-go";
import { pluginLock, pulumiLock } from "../toolchain/obtain-pulumi";
import { localStates, stacksInWork } from "../toolchain/run-pulumi/local-states";
import { storedGo, storedPlugins, storedPulumi } from "../toolchain/stored-tools";
import type { StoredArea } from "./prune";

/** Everything in the data folder that can be built or fetched again. States, disks, keys and what a user has added are not in it. */
export async function pruneAreas(): Promise<readonly StoredArea[]> {
  const remove = async ({ path: file }: StoredItem): Promise<undefined> => void (await removeAside(file));
  const plugins = path.join(pulumiHomeFolder(), "plugins");
  const store = { lock: buildLock(localHost), busy, remove };
  const areas: StoredArea[] = [
    { ...store, folder: imagesFolder(), items: async () => ofFolder(imagesFolder(), await stored()) },
    { ...store, folder: partsFolder(), items: async () => ofFolder(partsFolder(), await stored()) },
    { folder: toolsFolder(), lock: pulumiLock(), busy, remove, items: storedPulumi },
    { folder: toolsFolder(), lock: goFolder(), remove, items: () => storedGo(OLDEST_GO) },
    {
      folder: plugins,
      lock: pluginLock(pulumiHomeFolder()),
      busy,
      remove,
      items: async () => storedPlugins(await localStates()),
    },
  ];
  return [
    ...areas,
    ...(await snapshotAreas()),
    ...driverNames.flatMap((name) => preparedArea(driverByName(name, localHost))),
  ];
}

/** An `up` may need what no state and no machine names yet. */
async function busy(): Promise<string | undefined> {
  const stacks = await stacksInWork();
  return stacks.length > 0 ? `Pulumi works on ${stacks.join(", ")}` : undefined;
}

const stored = async (): Promise<readonly StoredItem[]> =>
  storedImages(localHost, await usersOfImages(), await packageLocks());

const ofFolder = (folder: string, items: readonly StoredItem[]): readonly StoredItem[] =>
  items.filter((item) => path.dirname(item.path) === folder);

/** States of the local backend and machines that name an image. */
export async function usersOfImages(): Promise<Users> {
  const users = new Map<string, string[]>();
  const note = (image: string, user: string): unknown =>
    users.set(image, [...new Set([...(users.get(image) ?? []), user])]);
  for (const { stack, text } of await localStates())
    for (const image of imageNamesIn(text)) note(image, `the state of ${stack}`);
  for (const { stack, file } of await storedSnapshots())
    for (const image of imageNamesIn((await localHost.files.readText(recordIn(file))) ?? ""))
      note(image, `the snapshot ${path.basename(file)} of ${stack}`);
  for (const [image, stacks] of await recordedImages(localHost))
    for (const stack of stacks) note(image, `the machines of ${stack}`);
  return users;
}

interface StoredSnapshot {
  readonly stack: string;
  readonly file: string;
}

async function storedSnapshots(): Promise<readonly StoredSnapshot[]> {
  const found: StoredSnapshot[] = [];
  for (const stack of await localHost.files.list(path.join(dataFolder(), "stacks"))) {
    const folder = snapshotsFolder(localHost, stack);
    const names = (await localHost.files.list(folder)).filter((name) => isObjectName(name) || isLeftover(name));
    found.push(...names.map((name) => ({ stack, file: path.join(folder, name) })));
  }
  return found;
}

/** Complete snapshots always stay: only `snapshot delete` and `destroy` remove them. */
async function snapshotAreas(): Promise<readonly StoredArea[]> {
  const stacks = new Set((await storedSnapshots()).map(({ stack }) => stack));
  return [...stacks].map((stack) => ({
    folder: snapshotsFolder(localHost, stack),
    lock: snapshotsLock(localHost, stack),
    remove: async ({ path: file }: StoredItem): Promise<undefined> => void (await localHost.files.remove(file)),
    items: async () =>
      (await storedSnapshots())
        .filter((snapshot) => snapshot.stack === stack)
        .map(({ file }) => ({
          ...({ kind: "snapshot", path: file, reason: "an interrupted command left it" } as const),
          users: isLeftover(path.basename(file)) ? [] : [`snapshot restore of ${stack}`],
        })),
  }));
}

/** A driver releases its own form of an image, and only if no machine is based on it. */
function preparedArea(hypervisor: Hypervisor): readonly StoredArea[] {
  if (!hypervisor.preparedImages) return [];
  const items = async (): Promise<readonly StoredItem[]> => {
    const users = await usersOfImages();
    const names = new Map<string, string[]>();
    for (const { name, file } of (await hypervisor.preparedImages?.()) ?? [])
      names.set(file, [...(names.get(file) ?? []), name]);
    return [...names].map(([file, known]) => ({
      ...{ kind: "prepared-image", path: file, users: known.flatMap((name) => users.get(name) ?? []) },
      reason: `no state and no machine names ${known.join(" or ")}`,
    }));
  };
  const remove = async (item: StoredItem): Promise<string | undefined> => {
    const here = async () => (await hypervisor.preparedImages?.())?.filter(({ file }) => file === item.path) ?? [];
    for (const { name } of await here()) await hypervisor.releaseImage({ name });
    return (await here()).length > 0 ? "a machine is based on it" : undefined;
  };
  return [{ folder: path.join(dataFolder(), hypervisor.name, "images"), busy, items, remove }];
}
