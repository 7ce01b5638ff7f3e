import { isDeepStrictEqual } from "node:util";
import type { Host } from "../../model/host";
import type { FileStamp } from "../../model/host-files";
import { UserError } from "../../model/user-error";
import { namingFullDisk } from "../full-disk";
import { ImageMissingError, type ImageSpec, type PreparedImage } from "../hypervisor";
import { convertRaw } from "./commands";
import { convertedFolder, convertedImage, imagesLock, sealedImage } from "./folders";
import { backingsInUse } from "./machine-record";
import { runQemuImg } from "./qemu-img";

/** `image.json` of a sealed disk image, see image/README.md. */
interface SealedRecord {
  /** `sha256:` and the hex digest of `disk.raw`. */
  readonly digest: string;
  readonly form?: string;
}

/** Written when the qcow2 file is complete. Its stamp detects a changed or replaced file. */
interface ConvertedRecord {
  /** Names under which it was requested: a digest may have several. */
  readonly names: readonly string[];
  readonly stamp: FileStamp;
}

const CONVERT_MS = 30 * 60_000;
const DIGEST = /^sha256:([0-9a-f]{64})$/;

/** One at a time: one stack may release an image that another one is converting. */
const withImageLock = <T>(host: Host, action: () => Promise<T>): Promise<T> =>
  host.locks.withLock(imagesLock(host), action, { timeoutMs: CONVERT_MS });

export async function inspectImage(host: Host, { name }: ImageSpec): Promise<{ readonly digest: string } | undefined> {
  const sealed = await readSealed(host, name);
  if (!sealed) return undefined;
  return (await readConverted(host, sealed.hex))?.names.includes(name) ? { digest: sealed.digest } : undefined;
}

export async function ensureImage(host: Host, { name }: ImageSpec): Promise<{ readonly digest: string }> {
  const sealed = await readSealed(host, name);
  if (!sealed) throw new ImageMissingError(name);
  await withImageLock(host, () => namingFullDisk(convertedFolder(host), () => makeReady(host, name, sealed.hex)));
  return { digest: sealed.digest };
}

export async function releaseImage(host: Host, { name }: ImageSpec): Promise<void> {
  await withImageLock(host, async () => {
    const used = await backingsInUse(host);
    for (const hex of await convertedDigests(host)) {
      const record = await host.files.readJson<ConvertedRecord>(convertedImage(host, hex).record);
      if (!record?.names.includes(name) || used.has(hex)) continue;
      const names = record.names.filter((other) => other !== name);
      if (names.length > 0) await host.files.writeJson(convertedImage(host, hex).record, { ...record, names });
      else await removeConverted(host, hex);
    }
    await host.files.removeIfEmpty(convertedFolder(host));
    await host.files.removeIfEmpty(`${host.folders.data()}/qemu`);
  });
}

export async function preparedImages(host: Host): Promise<readonly PreparedImage[]> {
  const found = await Promise.all(
    (await convertedDigests(host)).map(async (hex) => {
      const { disk: file, record } = convertedImage(host, hex);
      const names = (await host.files.readJson<ConvertedRecord>(record))?.names ?? [];
      return names.map((name) => ({ name, file }));
    }),
  );
  return found.flat();
}

/**
 * The qcow2 file that backs the disks of an image's machines, and its digest in hex.
 * @throws ImageMissingError when it has not been converted
 */
export async function backingOf(host: Host, name: string): Promise<{ readonly file: string; readonly hex: string }> {
  const sealed = await readSealed(host, name);
  if (!sealed || !(await readConverted(host, sealed.hex))) throw new ImageMissingError(name);
  return { file: convertedImage(host, sealed.hex).disk, hex: sealed.hex };
}

async function readSealed(
  host: Host,
  name: string,
): Promise<{ readonly digest: string; readonly hex: string } | undefined> {
  const record = await host.files.readJson<SealedRecord>(sealedImage(host, name).record);
  const hex = DIGEST.exec(record?.digest ?? "")?.[1];
  if (!record || !hex) return undefined;
  return (await host.files.stamp(sealedImage(host, name).disk)) ? { digest: record.digest, hex } : undefined;
}

async function makeReady(host: Host, name: string, hex: string): Promise<void> {
  const known = await readConverted(host, hex);
  if (known?.names.includes(name)) return;
  if (!known) await convert(host, name, hex);
  await recordConverted(host, hex, [...new Set([...(known?.names ?? []), name])].sort());
}

/** `undefined` also when the file differs from its record. */
async function readConverted(host: Host, hex: string): Promise<ConvertedRecord | undefined> {
  const { disk, record } = convertedImage(host, hex);
  const known = await host.files.readJson<ConvertedRecord>(record);
  return known && isDeepStrictEqual(known.stamp, await host.files.stamp(disk)) ? known : undefined;
}

async function convert(host: Host, name: string, hex: string): Promise<void> {
  const sealed = sealedImage(host, name).disk;
  if ((await host.files.digest(sealed)) !== hex) {
    throw new UserError(
      "image-damaged",
      `${sealed} is not what was sealed: its checksum differs from the one in image.json`,
      "rebuild it: npx groundplane image build --verify",
    );
  }
  const { disk } = convertedImage(host, hex);
  await removeConverted(host, hex);
  await host.files.makeFolder(convertedFolder(host));
  try {
    await runQemuImg(host, convertRaw(sealed, `${disk}.partial`));
    await host.files.makeReadOnly(`${disk}.partial`);
    await host.files.move(`${disk}.partial`, disk);
  } catch (error) {
    await host.files.remove(`${disk}.partial`);
    throw error;
  }
}

async function recordConverted(host: Host, hex: string, names: readonly string[]): Promise<void> {
  const { disk, record } = convertedImage(host, hex);
  const stamp = await host.files.stamp(disk);
  if (!stamp) throw new Error(`${disk} disappeared while it was recorded`);
  await host.files.writeJson(record, { names, stamp } satisfies ConvertedRecord);
}

/** Record last: after an interruption, the next release finds it again. */
async function removeConverted(host: Host, hex: string): Promise<void> {
  const { disk, record } = convertedImage(host, hex);
  for (const file of [`${disk}.partial`, disk, record]) await host.files.remove(file);
}

async function convertedDigests(host: Host): Promise<readonly string[]> {
  const files = await host.files.list(convertedFolder(host));
  return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
}
