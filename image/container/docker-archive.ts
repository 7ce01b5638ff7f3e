import { createHash, type Hash } from "node:crypto";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import * as tar from "tar-stream";
import type { Host } from "../../model/host";
import type { ContainerImageRecipe } from "../recipes/recipe";
import type { LayerFile } from "./layer-files";

/** The same files give the same bytes, at any time and on any host. */
// biome-ignore lint/style/noRestrictedGlobals: a constant, not the clock
const EPOCH = new Date(0);

/** Writes an image with one layer in the format of `docker save`, which every container engine loads. */
export async function writeDockerArchive(
  host: Host,
  image: ContainerImageRecipe,
  files: readonly LayerFile[],
  file: string,
): Promise<void> {
  const layerFile = `${file}.layer`;
  try {
    const layerDigest = await writeLayerTar(host, files, layerFile);
    const config = JSON.stringify(imageConfig(image, layerDigest));
    const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
    const layerName = `${layerDigest}/layer.tar`;
    const manifest = JSON.stringify([{ Config: configName, RepoTags: [image.name], Layers: [layerName] }]);
    await writeTar(host, file, async (pack) => {
      await addText(pack, configName, config);
      await addFile(host, pack, layerName, layerFile, 0o644);
      await addText(pack, "manifest.json", manifest);
    });
  } finally {
    await host.files.remove(layerFile);
  }
}

/** Returns the sha256 of the uncompressed layer, by which the image's configuration refers to it. */
export async function writeLayerTar(host: Host, files: readonly LayerFile[], file: string): Promise<string> {
  return writeTar(host, file, async (pack) => {
    for (const entry of files) {
      if (entry.kind === "folder") await add(pack, { name: `${entry.path}/`, type: "directory", mode: entry.mode });
      else if (entry.kind === "link") await add(pack, { name: entry.path, type: "symlink", linkname: entry.to });
      else if (entry.kind === "text") await addText(pack, entry.path, entry.text);
      else await addFile(host, pack, entry.path, entry.from, entry.mode);
    }
  });
}

function imageConfig(image: ContainerImageRecipe, layerDigest: string): unknown {
  return {
    architecture: "amd64",
    os: "linux",
    created: EPOCH.toISOString(),
    config: {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      Entrypoint: image.entrypoint,
      Cmd: image.entrypoint ? undefined : ["/bin/sh"],
      User: image.user ?? "",
      WorkingDir: "/",
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${layerDigest}`] },
    history: [{ created: EPOCH.toISOString(), created_by: "groundplane" }],
  };
}

/** Streams, because programs have a hundred megabytes. Returns the sha256 of the file. */
async function writeTar({ trees }: Host, file: string, fill: (pack: tar.Pack) => Promise<void>): Promise<string> {
  const pack = tar.pack();
  const hash = createHash("sha256");
  const writing = pipeline(pack, hashing(hash), trees.openWrite(file));
  // A full disk breaks the pipe while an entry is still being written: the first failure ends both.
  const filling = fill(pack).then(() => pack.finalize());
  await Promise.all([
    writing,
    filling.catch((error: Error) => {
      pack.destroy(error);
      throw error;
    }),
  ]);
  return hash.digest("hex");
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(undefined, chunk);
    },
  });
}

type Header = Partial<tar.Header> & { readonly name: string };

function add(pack: tar.Pack, header: Header): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry(complete(header), (error) => (error ? reject(error) : resolve()));
  });
}

function addText(pack: tar.Pack, name: string, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    pack.entry(complete({ name, mode: 0o644 }), text, (error) => (error ? reject(error) : resolve()));
  });
}

async function addFile({ trees }: Host, pack: tar.Pack, name: string, from: string, mode: number): Promise<void> {
  const entry = pack.entry(complete({ name, mode, size: await trees.size(from) }));
  await pipeline(trees.openRead(from), entry);
}

function complete(header: Header): tar.Header {
  return { uid: 0, gid: 0, mtime: EPOCH, ...header } as tar.Header;
}
