import { createHash } from "node:crypto";
import * as path from "node:path";
import type { Host, HttpOptions } from "../../model/host";
import { UserError } from "../../model/user-error";
import { extractMembers } from "./tar-members";

export interface RegistryImage {
  /** e.g. `https://registry.k8s.io` */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  /** Of the manifest, hex: what the tag is to name. Without it, the registry decides. */
  readonly digest?: string;
}

interface Descriptor {
  readonly digest: string;
  readonly platform?: { readonly architecture: string; readonly os: string };
}

interface ImageManifest {
  readonly manifests?: readonly Descriptor[];
  readonly layers?: readonly Descriptor[];
}

const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/**
 * Extracts programs from the top folder of a published container image with one layer (OCI distribution protocol,
 * anonymous). The layer is addressed by its checksum, which is verified.
 */
export async function fetchFromImage(
  host: Host,
  image: RegistryImage,
  programs: readonly string[],
  target: string,
  downloads: string,
  options: HttpOptions,
): Promise<void> {
  const index = await manifest(host, image, image.digest ? `sha256:${image.digest}` : image.tag, options);
  const ours = index.manifests?.find(({ platform }) => platform?.os === "linux" && platform.architecture === "amd64");
  const { layers = [] } = ours ? await manifest(host, image, ours.digest, options) : index;
  const layer = layers[0]?.digest;
  if (!layer) throw new Error(`${image.repository}:${image.tag} has no layer for linux/amd64`);
  const local = path.join(downloads, `${image.repository}-${image.tag}.layer`);
  const url = `${image.registry}/v2/${image.repository}/blobs/${layer}`;
  await host.network.download(url, local, { ...options, sha256: layer.replace(/^sha256:/, "") });
  await extractMembers(host, local, Object.fromEntries(programs.map((program) => [program, program])), target);
  await host.files.remove(local);
}

/** The digest of what the tag names now, hex. */
export async function manifestDigest({ network }: Host, image: RegistryImage, options: HttpOptions): Promise<string> {
  const text = await network.getText(manifestUrl(image, image.tag), {
    ...options,
    headers: { Accept: MANIFEST_TYPES },
  });
  return createHash("sha256").update(text).digest("hex");
}

const manifestUrl = ({ registry, repository }: RegistryImage, reference: string): string =>
  `${registry}/v2/${repository}/manifests/${reference}`;

async function manifest(
  { network }: Host,
  image: RegistryImage,
  reference: string,
  options: HttpOptions,
): Promise<ImageManifest> {
  const url = manifestUrl(image, reference);
  const text = await network.getText(url, { ...options, headers: { Accept: MANIFEST_TYPES } });
  if (reference.startsWith("sha256:") && `sha256:${createHash("sha256").update(text).digest("hex")}` !== reference) {
    throw new UserError("checksum", `${url} returns a manifest with another checksum`, "use another source");
  }
  return JSON.parse(text) as ImageManifest;
}
