import { isDeepStrictEqual } from "node:util";
import { dataFolder } from "../../host/data-folder";
import { digestFile } from "../../host/digest-file";
import { withFileLock } from "../../host/file-lock";
import { makeReadOnly, stampFile } from "../../host/file-stamp";
import {
  listFolder,
  makeFolder,
  moveTree,
  readJson,
  removeIfEmpty,
  removeTree,
  writeJson,
} from "../../host/file-store";
import type { FileStamp } from "../../model/host-files";
import { UserError } from "../../model/user-error";
import { ImageMissingError, type ImageSpec } from "../hypervisor";
import { convertRaw } from "./commands";
import { convertedFolder, convertedImage, sealedImage } from "./folders";
import { namingFullDisk } from "./full-disk";
import { backingsInUse } from "./machine-record";
import { runQemuImg } from "./qemu-img";

/** `image.json` of a sealed disk image, see image/README.md. */
interface SealedRecord {
  /** `sha256:` and the hex digest of `disk.raw`. */
  readonly digest: string;
  readonly form?: string;
}

/** Written when the qcow2 file is complete; its stamp tells a changed or exchanged file. */
interface ConvertedRecord {
  /** Names under which it was asked for: a digest may have several. */
  readonly names: readonly string[];
  readonly stamp: FileStamp;
}

const CONVERT_MS = 30 * 60_000;
const DIGEST = /^sha256:([0-9a-f]{64})$/;

/** One at a time: two stacks may need the same image, and one give back what the other makes. */
const withImageLock = <T>(action: () => Promise<T>): Promise<T> =>
  withFileLock(convertedFolder(), action, { timeoutMs: CONVERT_MS });

export async function inspectImage({ name }: ImageSpec): Promise<{ readonly digest: string } | undefined> {
  const sealed = await readSealed(name);
  if (!sealed) return undefined;
  return (await readConverted(sealed.hex))?.names.includes(name) ? { digest: sealed.digest } : undefined;
}

export async function ensureImage({ name }: ImageSpec): Promise<{ readonly digest: string }> {
  const sealed = await readSealed(name);
  if (!sealed) throw new ImageMissingError(name);
  await withImageLock(() => namingFullDisk(convertedFolder(), () => makeReady(name, sealed.hex)));
  return { digest: sealed.digest };
}

export async function releaseImage({ name }: ImageSpec): Promise<void> {
  await withImageLock(async () => {
    const used = await backingsInUse();
    for (const hex of await convertedDigests()) {
      const record = await readJson<ConvertedRecord>(convertedImage(hex).record);
      if (!record?.names.includes(name) || used.has(hex)) continue;
      const names = record.names.filter((other) => other !== name);
      if (names.length > 0) await writeJson(convertedImage(hex).record, { ...record, names });
      else await removeConverted(hex);
    }
    await removeIfEmpty(convertedFolder());
    await removeIfEmpty(`${dataFolder()}/qemu`);
  });
}

/**
 * The qcow2 file that machines of an image lie over, and the hex of its digest.
 * @throws ImageMissingError when it has not been made ready
 */
export async function backingOf(name: string): Promise<{ readonly file: string; readonly hex: string }> {
  const sealed = await readSealed(name);
  if (!sealed || !(await readConverted(sealed.hex))) throw new ImageMissingError(name);
  return { file: convertedImage(sealed.hex).disk, hex: sealed.hex };
}

async function readSealed(name: string): Promise<{ readonly digest: string; readonly hex: string } | undefined> {
  const record = await readJson<SealedRecord>(sealedImage(name).record);
  const hex = DIGEST.exec(record?.digest ?? "")?.[1];
  if (!record || !hex) return undefined;
  return (await stampFile(sealedImage(name).disk)) ? { digest: record.digest, hex } : undefined;
}

async function makeReady(name: string, hex: string): Promise<void> {
  const known = await readConverted(hex);
  if (known?.names.includes(name)) return;
  if (!known) await convert(name, hex);
  await recordConverted(hex, [...new Set([...(known?.names ?? []), name])].sort());
}

/** `undefined` also when the file is not what was recorded. */
async function readConverted(hex: string): Promise<ConvertedRecord | undefined> {
  const { disk, record } = convertedImage(hex);
  const known = await readJson<ConvertedRecord>(record);
  return known && isDeepStrictEqual(known.stamp, await stampFile(disk)) ? known : undefined;
}

async function convert(name: string, hex: string): Promise<void> {
  const sealed = sealedImage(name).disk;
  if ((await digestFile(sealed)) !== hex) {
    throw new UserError(
      "image-damaged",
      `${sealed} is not what was sealed: its checksum differs from the one in image.json`,
      "build it anew: npx groundplane image build --verify",
    );
  }
  const { disk } = convertedImage(hex);
  await removeConverted(hex);
  await makeFolder(convertedFolder());
  try {
    await runQemuImg(convertRaw(sealed, `${disk}.partial`));
    await makeReadOnly(`${disk}.partial`);
    await moveTree(`${disk}.partial`, disk);
  } catch (error) {
    await removeTree(`${disk}.partial`);
    throw error;
  }
}

async function recordConverted(hex: string, names: readonly string[]): Promise<void> {
  const { disk, record } = convertedImage(hex);
  const stamp = await stampFile(disk);
  if (!stamp) throw new Error(`${disk} is gone while it was being recorded`);
  await writeJson(record, { names, stamp } satisfies ConvertedRecord);
}

/** The record last: interrupted, the next release finds it again. */
async function removeConverted(hex: string): Promise<void> {
  const { disk, record } = convertedImage(hex);
  for (const file of [`${disk}.partial`, disk, record]) await removeTree(file);
}

async function convertedDigests(): Promise<readonly string[]> {
  const files = await listFolder(convertedFolder());
  return files.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length));
}
