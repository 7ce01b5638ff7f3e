import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import * as tar from "tar-stream";
import { removeTree, writeFileAtomic } from "../../host/file-store";
import { UserError } from "../../model/user-error";
import { asStorageError, type OnProgress } from "../store/build-context";
import { type BundledFile, type BundleManifest, damaged, MANIFEST_NAME, parseBundleManifest } from "./bundle-manifest";
import { bundleFolder } from "./bundle-source";

/** What an archive gives for each of its files. */
type TarEntry = tar.Extract extends AsyncIterable<infer Entry> ? Entry : never;

export interface LoadBundleOptions {
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Unpacks a bundle into the data folder, where images are made from it from then on. Takes the place of the one loaded
 * before.
 * @throws UserError `bundle-missing`, `bundle-damaged` (any file with another size or checksum), `disk-full`; what was
 * loaded before is still there then
 */
export async function loadBundle(file: string, options: LoadBundleOptions = {}): Promise<BundleManifest> {
  const folder = bundleFolder();
  const partial = `${folder}.partial`;
  await removeTree(partial);
  await fs.mkdir(partial, { recursive: true });
  try {
    const manifest = await unpack(file, partial, options);
    await writeFileAtomic(path.join(partial, MANIFEST_NAME), JSON.stringify(manifest));
    await removeTree(folder);
    await fs.rename(partial, folder);
    return manifest;
  } catch (error) {
    await removeTree(partial);
    throw asStorageError(error, folder);
  }
}

async function unpack(file: string, folder: string, { progress, signal }: LoadBundleOptions): Promise<BundleManifest> {
  const extract = tar.extract();
  const reading = pipeline(await openBundle(file), extract, { signal });
  const taking = takeEntries(extract, file, folder, progress ?? (() => {}));
  // Whichever fails first ends both; the other's failure is only its echo.
  taking.catch((error: Error) => extract.destroy(error));
  const [received, took] = await Promise.allSettled([reading, taking]);
  signal?.throwIfAborted();
  if (took.status === "rejected") throw explain(took.reason, file);
  if (received.status === "rejected") throw explain(received.reason, file);
  return took.value;
}

async function takeEntries(
  extract: tar.Extract,
  file: string,
  folder: string,
  progress: OnProgress,
): Promise<BundleManifest> {
  let manifest: BundleManifest | undefined;
  const expected = new Map<string, BundledFile>();
  let count = 0;
  for await (const entry of extract) {
    const { name } = entry.header;
    if (!manifest) {
      if (name !== MANIFEST_NAME) throw damaged(file, "it does not begin with a manifest");
      manifest = parseBundleManifest(await text(entry), file);
      for (const each of manifest.parts.flatMap((part) => part.files)) expected.set(each.path, each);
      count = expected.size;
      continue;
    }
    const wanted = expected.get(name);
    if (!wanted) throw damaged(file, `${name} is not in its manifest`);
    progress({ phase: "bundle", message: `unpacking ${name}`, fraction: 1 - expected.size / count });
    await take(entry, wanted, folder, file);
    expected.delete(name);
  }
  if (!manifest) throw damaged(file, "it is empty");
  const [missing] = expected.keys();
  if (missing !== undefined) throw damaged(file, `${missing} is missing`);
  return manifest;
}

async function take(entry: TarEntry, wanted: BundledFile, folder: string, file: string): Promise<void> {
  const target = path.join(folder, wanted.path);
  await fs.mkdir(path.dirname(target), { recursive: true });
  const hash = createHash("sha256");
  entry.on("data", (chunk) => hash.update(chunk as Buffer));
  await pipeline(entry, createWriteStream(target));
  if (hash.digest("hex") !== wanted.sha256)
    throw damaged(file, `${wanted.path} has another checksum than its manifest says`);
}

/** Compressed or not is seen from the first two bytes, whatever the file is called. */
async function openBundle(file: string): Promise<Readable> {
  const handle = await fs.open(file).catch((cause: Error) => {
    throw new UserError("bundle-missing", `${file} cannot be read (${cause.message})`, "check the file's name", {
      cause,
    });
  });
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
  await handle.close();
  const plain = createReadStream(file, { highWaterMark: 1024 * 1024 });
  if (bytesRead < 2 || buffer[0] !== 0x1f || buffer[1] !== 0x8b) return plain;
  const unzip = createGunzip();
  plain.on("error", (error) => unzip.destroy(error));
  return plain.pipe(unzip);
}

async function text(entry: TarEntry): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of entry) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** Archives and compression that end early or hold nonsense. */
function explain(error: unknown, file: string): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const broken = /^Z_|ERR_STREAM_PREMATURE_CLOSE/.test(code) || /tar|header|unexpected end/i.test(error.message);
  return broken ? damaged(file, `it is no complete archive (${error.message})`) : error;
}
