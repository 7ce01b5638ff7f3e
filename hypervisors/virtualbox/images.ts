import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { ImageMissingError, type PreparedImage } from "../hypervisor";
import { isRegistered } from "./command-kinds";
import * as commands from "./commands";
import type { Dialect } from "./dialect";
import { convertedImage, convertedImagesFolder, lockFile, sealedImage } from "./folders";
import { HOLDER_GROUP, holderName, SYSTEM_PORT, uuidOf } from "./names";
import type { Medium } from "./parse-output";
import { hasController, isReadable } from "./storage";
import type { Session, VirtualBox } from "./vboxmanage";

/** A sealed image in VirtualBox: one read-only disk that the linked disks of all machines are based on. */
export interface ConvertedImage {
  readonly name: string;
  /** Digest of the sealed disk. */
  readonly digest: string;
  /** Derived from digest and path, so that a recreated disk fits the disks that are linked to it. */
  readonly uuid: string;
  /** A machine that is never started. Its settings file keeps the disk registered after VBoxSVC exits. */
  readonly holder: string;
}

interface SealedDisk {
  readonly digest: string;
  readonly form?: string;
}

/** Maximum age of the list of media for reads, so that reads of one stack share it. */
export const LOOK_MS = 1_500;

export const readConverted = (host: Host, name: string): Promise<ConvertedImage | undefined> =>
  host.files.readJson<ConvertedImage>(convertedImage(host, name).record);

/** The image, if machines can be created from it without a conversion. */
export async function inspectImage(box: VirtualBox, name: string): Promise<ConvertedImage | undefined> {
  const record = await readConverted(box.host, name);
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
  return withImageLock(box.host, name, async () => {
    const known = await inspectImage(box, name);
    if (known) return known;
    const image = await describe(box.host, name);
    await convert(box, image);
    const dialect = await box.dialect();
    await box.session((session) => register(box.host, session, dialect, image));
    await box.host.files.writeJson(convertedImage(box.host, name).record, image);
    return image;
  });
}

export async function releaseImage(box: VirtualBox, name: string): Promise<void> {
  await withImageLock(box.host, name, async () => {
    const files = convertedImage(box.host, name);
    const record = await readConverted(box.host, name);
    const released = await box.session(async (session) => {
      if (!record) return true;
      const media = await session.media();
      if (media.some(({ parent }) => parent === record.uuid)) return false;
      await box.host.files.remove(files.record);
      await removeHolder(box.host, session, record);
      const medium = (await session.media()).find(({ uuid }) => uuid === record.uuid);
      if (medium) await session.call(commands.forgetDisk(record.uuid));
      return true;
    });
    if (!released) return;
    await box.host.files.remove(files.folder);
    for (const folder of files.parents) await box.host.files.removeIfEmpty(folder);
  });
}

export async function preparedImages(host: Host): Promise<readonly PreparedImage[]> {
  const names = await host.files.list(convertedImagesFolder(host));
  return names.map((name) => ({ name, file: convertedImage(host, name).folder }));
}

const withImageLock = <T>(host: Host, name: string, action: () => Promise<T>): Promise<T> =>
  host.locks.withLock(lockFile(host, `image-${name}`), action, { timeoutMs: 60 * 60_000 });

async function describe(host: Host, name: string): Promise<ConvertedImage> {
  const sealed = await host.files.readJson<SealedDisk>(sealedImage(host, name).record);
  if (sealed === undefined || !(await host.files.exists(sealedImage(host, name).disk)))
    throw new ImageMissingError(name);
  const { medium } = convertedImage(host, name);
  const uuid = uuidOf(`image ${sealed.digest} ${medium}`);
  const image = { name, digest: sealed.digest, uuid, holder: uuidOf(`holder ${uuid}`) };
  const before = await readConverted(host, name);
  if (before && before.uuid !== uuid) {
    throw new UserError(
      "image-changed",
      `the image ${name} was sealed again with other content, and machines are based on the former content`,
      "destroy the stacks that use it, then run `pulumi up`",
    );
  }
  return image;
}

/** Converts the sealed raw disk after a check of its digest. The result is complete or does not exist. */
async function convert(box: VirtualBox, { name, digest, uuid }: ConvertedImage): Promise<void> {
  const files = convertedImage(box.host, name);
  if (await box.host.files.exists(files.medium)) return;
  const { disk } = sealedImage(box.host, name);
  const found = `sha256:${await box.host.files.digest(disk)}`;
  if (found !== digest) {
    throw new UserError(
      "image-damaged",
      `${disk} has digest ${found}, expected ${digest}`,
      "remove the image's folder and run `npx groundplane image build`",
    );
  }
  await box.host.files.makeFolder(files.folder, 0o700);
  await box.host.files.remove(files.half);
  await box.convert(commands.convertImage(disk, files.half, uuid));
  await box.host.files.move(files.half, files.medium);
}

/** Skips steps that are done: an earlier run may have been killed between any two of them. */
async function register(host: Host, session: Session, dialect: Dialect, image: ConvertedImage): Promise<void> {
  await makeHolder(host, session, dialect, image);
  const media = await session.media();
  if (isUsable(image, media)) return;
  // A disk must have been attached to a machine once before it can be shared.
  await session.call(commands.attachDisk(image.holder, SYSTEM_PORT, convertedImage(host, image.name).medium));
  await session.call(commands.detach(image.holder, SYSTEM_PORT));
  await session.call(commands.shareImage(image.uuid));
}

async function makeHolder(
  host: Host,
  session: Session,
  dialect: Dialect,
  { name, holder }: ConvertedImage,
): Promise<void> {
  const { holders, holderFolder } = convertedImage(host, name);
  if (!(await isRegistered(session, holder))) {
    // Settings of an unregistered holder come from a process that was killed while it created or removed the holder.
    await host.files.remove(holderFolder);
    await host.files.makeFolder(holders, 0o700);
    const vm = { name: holderName(name), uuid: holder, group: HOLDER_GROUP, folder: holders };
    await session.call(commands.createVm(vm, dialect));
  }
  const info = await session.vm(holder);
  if (!info || !hasController(info)) await session.call(commands.addController(holder, 1));
}

async function removeHolder(host: Host, session: Session, { name, holder }: ConvertedImage): Promise<void> {
  // The disk stays: VirtualBox does not delete a shared disk.
  if (await isRegistered(session, holder)) await session.call(commands.deleteVm(holder));
  await host.files.remove(convertedImage(host, name).holderFolder);
}
