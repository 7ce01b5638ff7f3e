import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import * as tar from "tar-stream";

/** Archives of container images, as tools write them. */

export const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

type Entry = readonly [name: string, content: Buffer | string, link?: "link"];

/** A tar file. A link's content is its target. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const pack = tar.pack();
  for (const [name, content, link] of entries)
    if (link) pack.entry({ name, type: "symlink", linkname: String(content) });
    else pack.entry({ name }, content);
  pack.finalize();
  const parts: Buffer[] = [];
  for await (const part of pack) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

const configOf = (layers: readonly Buffer[]): Buffer =>
  Buffer.from(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: layers.map(digestOf) } }),
  );

const blob = (bytes: Buffer): Entry => [`blobs/${digestOf(bytes).replace(":", "/")}`, bytes];
const described = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
const oci = "application/vnd.oci.image";

/** As of Docker 25 and other tools that write OCI layouts. */
export function layoutEntries(
  layers: readonly Buffer[],
  { name, platforms = false }: { readonly name?: string; readonly platforms?: boolean } = {},
): readonly Entry[] {
  const config = configOf(layers);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${oci}.manifest.v1+json`,
      config: described(`${oci}.config.v1+json`, config),
      layers: layers.map((layer) => described(`${oci}.layer.v1.tar+gzip`, gzipSync(layer))),
    }),
  );
  const ofManifest = described(`${oci}.manifest.v1+json`, manifest);
  const forPlatforms = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      manifests: [
        { ...ofManifest, digest: digestOf(Buffer.from("absent")), platform: { os: "linux", architecture: "arm64" } },
        { ...ofManifest, platform: { os: "linux", architecture: "amd64" } },
        { ...ofManifest, platform: { os: "unknown", architecture: "unknown" } },
      ],
    }),
  );
  const top = platforms ? described(`${oci}.index.v1+json`, forPlatforms) : ofManifest;
  const annotations = name === undefined ? {} : { annotations: { "io.containerd.image.name": name } };
  const index = JSON.stringify({ schemaVersion: 2, manifests: [{ ...top, ...annotations }] });
  return [
    ...layers.map((layer) => blob(gzipSync(layer))),
    ...[config, manifest, ...(platforms ? [forPlatforms] : [])].map(blob),
    ["index.json", index],
    ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
  ];
}

/** As of earlier versions of Docker: a layer that is there already is a link. */
export function dockerEntries(layers: readonly Buffer[], name: string | undefined): readonly Entry[] {
  const config = configOf(layers);
  const configName = `${digestOf(config).slice(7)}.json`;
  const files = layers.map((layer, index): Entry => {
    const first = layers.findIndex((other) => other.equals(layer));
    return first === index ? [`l${index}/layer.tar`, layer] : [`l${index}/layer.tar`, `../l${first}/layer.tar`, "link"];
  });
  const entry = { Config: configName, RepoTags: name === undefined ? null : [name], Layers: files.map(([at]) => at) };
  return [...files, [configName, config], ["manifest.json", JSON.stringify([entry])]];
}
