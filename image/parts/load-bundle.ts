import { createHash } from "node:crypto";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import * as tar from "tar-stream";
import type { Host } from "../../model/host";
import { UserError } from "../../model/user-error";
import { asStorageError, type OnProgress } from "../store/build-context";
import { type BundledFile, type BundleManifest, damaged, MANIFEST_NAME, parseBundleManifest } from "./bundle-manifest";
import { bundleFolder } from "./bundle-source";
import { type BundleTrust, checkTrust, SIGNATURE_NAME } from "./bundle-trust";

/** An archive's entry for one file. */
type TarEntry = tar.Extract extends AsyncIterable<infer Entry> ? Entry : never;

export interface LoadBundleOptions extends BundleTrust {
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
}

/**
 * Unpacks a bundle into the data folder as the preferred source of images. Replaces the bundle that was loaded before.
 * @throws UserError `bundle-missing`, `bundle-damaged` (any file with another size or checksum), `bundle-untrusted` (another
 * digest or signer than the options name, before any part is unpacked), `disk-full`; the former bundle stays then
 */
export async function loadBundle(host: Host, file: string, options: LoadBundleOptions = {}): Promise<BundleManifest> {
  const { files, trees } = host;
  const folder = bundleFolder(host);
  const partial = `${folder}.partial`;
  await files.remove(partial);
  await trees.createFolder(partial);
  try {
    const manifest = await unpack(host, file, partial, options);
    await files.writeAtomic(path.join(partial, MANIFEST_NAME), JSON.stringify(manifest));
    await files.remove(folder);
    await files.move(partial, folder);
    return manifest;
  } catch (error) {
    await files.remove(partial);
    throw asStorageError(error, folder);
  }
}

async function unpack(host: Host, file: string, folder: string, options: LoadBundleOptions): Promise<BundleManifest> {
  const { signal } = options;
  const extract = tar.extract();
  const reading = pipeline(await openBundle(host, file), extract, { signal });
  const taking = takeEntries(host, extract, file, folder, options);
  // The first failure ends both; that of the other one is only its echo.
  taking.catch((error: Error) => extract.destroy(error));
  const [received, took] = await Promise.allSettled([reading, taking]);
  signal?.throwIfAborted();
  if (took.status === "rejected") throw explain(took.reason, file);
  if (received.status === "rejected") throw explain(received.reason, file);
  return took.value;
}

async function takeEntries(
  host: Host,
  extract: tar.Extract,
  file: string,
  folder: string,
  { progress = () => {}, ...trust }: LoadBundleOptions,
): Promise<BundleManifest> {
  const shown: { text: string; signature?: string } = { text: "" };
  let isTrusted = false;
  let manifest: BundleManifest | undefined;
  const expected = new Map<string, BundledFile>();
  let count = 0;
  for await (const entry of extract) {
    const { name } = entry.header;
    if (!manifest) {
      if (name !== MANIFEST_NAME) throw damaged(file, "it does not begin with a manifest");
      shown.text = await text(entry);
      manifest = parseBundleManifest(shown.text, file);
      for (const each of manifest.parts.flatMap((part) => part.files)) expected.set(each.path, each);
      count = expected.size;
      continue;
    }
    if (name === SIGNATURE_NAME && !isTrusted) {
      shown.signature = await text(entry);
      continue;
    }
    if (!isTrusted) await checkTrust(host, file, shown, trust);
    isTrusted = true;
    const wanted = expected.get(name);
    if (!wanted) throw damaged(file, `${name} is not in its manifest`);
    progress({ phase: "bundle", message: `unpacking ${name}`, fraction: 1 - expected.size / count });
    await take(host, entry, wanted, folder, file);
    expected.delete(name);
  }
  if (!manifest) throw damaged(file, "it is empty");
  if (!isTrusted) await checkTrust(host, file, shown, trust);
  const [missing] = expected.keys();
  if (missing !== undefined) throw damaged(file, `${missing} is missing`);
  return manifest;
}

async function take(
  { trees }: Host,
  entry: TarEntry,
  wanted: BundledFile,
  folder: string,
  file: string,
): Promise<void> {
  const target = path.join(folder, wanted.path);
  await trees.createFolder(path.dirname(target));
  const hash = createHash("sha256");
  entry.on("data", (chunk) => hash.update(chunk as Buffer));
  await pipeline(entry, trees.openWrite(target));
  if (hash.digest("hex") !== wanted.sha256)
    throw damaged(file, `the checksum of ${wanted.path} differs from its manifest`);
}

/** The first two bytes tell whether it is compressed, whatever its name. */
async function openBundle({ trees }: Host, file: string): Promise<NodeJS.ReadableStream> {
  const start = await trees.readBytes(file, 2).catch((cause: Error) => {
    throw new UserError("bundle-missing", `${file} cannot be read (${cause.message})`, "check the file's name", {
      cause,
    });
  });
  const plain = trees.openRead(file);
  if (start[0] !== 0x1f || start[1] !== 0x8b) return plain;
  const unzip = createGunzip();
  plain.on("error", (error: Error) => unzip.destroy(error));
  return plain.pipe(unzip);
}

async function text(entry: TarEntry): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of entry) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** Explains archives and compression that end early or are malformed. */
function explain(error: unknown, file: string): unknown {
  if (error instanceof UserError || !(error instanceof Error)) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const broken = /^Z_|ERR_STREAM_PREMATURE_CLOSE/.test(code) || /tar|header|unexpected end/i.test(error.message);
  return broken ? damaged(file, `it is not a complete archive (${error.message})`) : error;
}
