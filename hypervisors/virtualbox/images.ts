import { digestFile } from "../../host/digest-file";
import { withFileLock } from "../../host/file-lock";
import { exists, makeFolder, moveTree, readJson, removeIfEmpty, removeTree, writeJson } from "../../host/file-store";
import { UserError } from "../../model/user-error";
import { ImageMissingError } from "../hypervisor";
import * as commands from "./commands";
import type { Dialect } from "./dialect";
import { convertedImage, lockFile, sealedImage } from "./folders";
import { CONTROLLER, HOLDER_GROUP, holderName, SYSTEM_PORT, uuidOf } from "./names";
import type { Medium } from "./parse-output";
import { isReadable } from "./storage";
import type { Session, VirtualBox } from "./vboxmanage";

/** A sealed image as VirtualBox has it: one disk that is never written to, under the linked disks of all machines. */
export interface ConvertedImage {
  readonly name: string;
  /** Digest of the sealed disk. */
  readonly digest: string;
  /** Follows from digest and place: made anew it fits the disks that were linked to it. */
  readonly uuid: string;
  /** A machine that is never started: its settings file keeps the disk registered when VBoxSVC ends. */
  readonly holder: string;
}

interface SealedDisk {
  readonly digest: string;
  readonly form?: string;
}

/** How old the list of media may be for whoever only looks: the whole stack is read in one go. */
export const LOOK_MS = 1_500;

export const readConverted = (name: string): Promise<ConvertedImage | undefined> =>
  readJson<ConvertedImage>(convertedImage(name).record);

/** The image, if machines can be made from it at once. */
export async function inspectImage(box: VirtualBox, name: string): Promise<ConvertedImage | undefined> {
  const record = await readConverted(name);
  if (!record) return undefined;
  const media = await box.session((session) => session.media(LOOK_MS));
  return isUsable(record, media) ? record : undefined;
}

/** Registered, readable and shared. */
export function isUsable(image: ConvertedImage, media: readonly Medium[]): boolean {
  const medium = media.find(({ uuid }) => uuid === image.uuid);
  return medium !== undefined && isReadable(medium) && medium.type === "multiattach";
}

export async function ensureImage(box: VirtualBox, name: string): Promise<ConvertedImage> {
  return withImageLock(name, async () => {
    const known = await inspectImage(box, name);
    if (known) return known;
    const image = await describe(name);
    await convert(box, image);
    const dialect = await box.dialect();
    await box.session((session) => register(session, dialect, image));
    await writeJson(convertedImage(name).record, image);
    return image;
  });
}

export async function releaseImage(box: VirtualBox, name: string): Promise<void> {
  await withImageLock(name, async () => {
    const files = convertedImage(name);
    const record = await readConverted(name);
    const released = await box.session(async (session) => {
      if (!record) return true;
      const media = await session.media();
      if (media.some(({ parent }) => parent === record.uuid)) return false;
      await removeTree(files.record);
      await removeHolder(session, record);
      const medium = (await session.media()).find(({ uuid }) => uuid === record.uuid);
      if (medium) await session.call(commands.forgetDisk(record.uuid));
      return true;
    });
    if (!released) return;
    await removeTree(files.folder);
    for (const folder of files.parents) await removeIfEmpty(folder);
  });
}

const withImageLock = <T>(name: string, action: () => Promise<T>): Promise<T> =>
  withFileLock(lockFile(`image-${name}`), action, { timeoutMs: 60 * 60_000 });

async function describe(name: string): Promise<ConvertedImage> {
  const sealed = await readJson<SealedDisk>(sealedImage(name).record);
  if (sealed === undefined || !(await exists(sealedImage(name).disk))) throw new ImageMissingError(name);
  const { medium } = convertedImage(name);
  const uuid = uuidOf(`image ${sealed.digest} ${medium}`);
  const image = { name, digest: sealed.digest, uuid, holder: uuidOf(`holder ${uuid}`) };
  const before = await readConverted(name);
  if (before && before.uuid !== uuid) {
    throw new UserError(
      "image-changed",
      `the image ${name} was sealed anew with other content, and machines are based on what it was`,
      "destroy the stacks that use it, then run `pulumi up`",
    );
  }
  return image;
}

/** From the sealed raw disk, whose digest is checked, to a file that is there completely or not at all. */
async function convert(box: VirtualBox, { name, digest, uuid }: ConvertedImage): Promise<void> {
  const files = convertedImage(name);
  if (await exists(files.medium)) return;
  const { disk } = sealedImage(name);
  const found = `sha256:${await digestFile(disk)}`;
  if (found !== digest) {
    throw new UserError(
      "image-damaged",
      `${disk} has the digest ${found}, and was sealed with ${digest}`,
      "remove the image's folder and run `npx groundplane image build`",
    );
  }
  await makeFolder(files.folder, 0o700);
  await removeTree(files.half);
  await box.convert(commands.convertImage(disk, files.half, uuid));
  await moveTree(files.half, files.medium);
}

/** Each step only where it is not done yet: whoever did this before may have been killed between any two. */
async function register(session: Session, dialect: Dialect, image: ConvertedImage): Promise<void> {
  await makeHolder(session, dialect, image);
  const media = await session.media();
  if (isUsable(image, media)) return;
  // A disk that no machine has ever had cannot be shared.
  await session.call(commands.attachDisk(image.holder, SYSTEM_PORT, convertedImage(image.name).medium));
  await session.call(commands.detach(image.holder, SYSTEM_PORT));
  await session.call(commands.shareImage(image.uuid));
}

async function makeHolder(session: Session, dialect: Dialect, { name, holder }: ConvertedImage): Promise<void> {
  const { holders, holderFolder } = convertedImage(name);
  const isRegistered = async () => (await session.vms()).some(({ uuid }) => uuid === holder);
  if (!(await isRegistered())) {
    // Settings of a holder that is not registered were left by whoever was killed while making or removing it.
    await removeTree(holderFolder);
    await makeFolder(holders, 0o700);
    const vm = { name: holderName(name), uuid: holder, group: HOLDER_GROUP, folder: holders };
    await session.call(commands.createVm(vm, dialect), { done: isRegistered });
  }
  const info = await session.vm(holder);
  if (info?.values.get("storagecontrollername0") !== CONTROLLER) {
    await session.call(commands.addController(holder, 1));
  }
}

async function removeHolder(session: Session, { name, holder }: ConvertedImage): Promise<void> {
  const isGone = async () => !(await session.vms()).some(({ uuid }) => uuid === holder);
  // Without its disk, which VirtualBox would keep anyway because it is shared.
  if (!(await isGone())) await session.call(commands.deleteVm(holder), { done: isGone });
  await removeTree(convertedImage(name).holderFolder);
}
