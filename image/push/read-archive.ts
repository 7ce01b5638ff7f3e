import { createHash } from "node:crypto";
import type { Host } from "../../model/host";
import type { ImageManifest } from "../../model/image-registry";
import { UserError } from "../../model/user-error";
import { type ArchiveMembers, damaged, type Member, membersOf } from "./archive-members";

/** One image in an archive. */
export interface ArchivedImage {
  /** With tags, as the archive has them. */
  readonly names: readonly string[];
  readonly manifest: ImageManifest;
  /** What the manifest refers to, by digest: the members of the archive. */
  readonly blobs: ReadonlyMap<string, Member>;
}

interface Descriptor {
  readonly mediaType?: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os?: string; readonly architecture?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly mediaType?: string;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
}

const oci = "application/vnd.oci.image";
/** Of the machines. */
const platform = { os: "linux", architecture: "amd64" };

/**
 * Reads an archive of one image: that of `docker save`, also of older versions, or an OCI layout. Every digest in it is compared with what
 * it belongs to.
 *
 * @throws UserError `image-archive`
 */
export async function readArchive(host: Pick<Host, "trees">, file: string): Promise<ArchivedImage> {
  const members = await membersOf(host, file);
  if (members.byName.has("index.json")) return ofLayout(members, file);
  if (members.byName.has("manifest.json")) return ofDocker(members, file);
  throw damaged(file, "it has neither index.json nor manifest.json");
}

function ofLayout(members: ArchiveMembers, file: string): ArchivedImage {
  const { manifests = [] } = json<Manifest>(members, "index.json", file);
  const chosen = [...new Map(manifests.map((each) => [each.digest, each])).values()].filter(isImage);
  const [only] = chosen;
  if (only === undefined) throw damaged(file, "its index names no image");
  if (chosen.length > 1) throw severalImages(file, chosen.length);
  const names = manifests.flatMap(({ annotations = {} }) => namesIn(annotations));
  const descriptor = ofPlatform(members, only, file);
  const member = blobOf(members, descriptor, file);
  const manifest = json<Manifest>(members, member.name, file);
  const parts = [...(manifest.config ? [manifest.config] : []), ...(manifest.layers ?? [])];
  if (manifest.config === undefined || parts.length < 2) throw damaged(file, "its manifest names no layers");
  return {
    names: [...new Set(names)],
    manifest: {
      mediaType: manifest.mediaType ?? descriptor.mediaType ?? `${oci}.manifest.v1+json`,
      bytes: Buffer.from(member.text ?? "", "utf8"),
      digest: descriptor.digest,
    },
    blobs: new Map(parts.map((each) => [each.digest, blobOf(members, each, file)])),
  };
}

/** Builders add statements about an image beside it. */
const isImage = ({ platform: of }: Descriptor): boolean => of?.os !== "unknown";

const namesIn = (annotations: Readonly<Record<string, string>>): readonly string[] => {
  const full = annotations["io.containerd.image.name"];
  const short = annotations["org.opencontainers.image.ref.name"];
  // The short one may be a tag only.
  return full !== undefined ? [full] : short?.includes(":") ? [short] : [];
};

/** An image for several platforms: the one of the machines. */
function ofPlatform(members: ArchiveMembers, descriptor: Descriptor, file: string): Descriptor {
  const { manifests } = json<Manifest>(members, blobOf(members, descriptor, file).name, file);
  if (manifests === undefined) return descriptor;
  const images = manifests.filter(isImage);
  const fits = images.find(({ platform: of }) => of?.os === platform.os && of.architecture === platform.architecture);
  if (fits) return fits;
  throw damaged(file, `it has no image for ${platform.os}/${platform.architecture}`);
}

function blobOf({ byName }: ArchiveMembers, { digest, size }: Descriptor, file: string): Member {
  const name = `blobs/${String(digest).replace(":", "/")}`;
  const member = byName.get(name);
  if (member === undefined) throw damaged(file, `it lacks ${name}`);
  if (member.digest !== digest || member.size !== size) throw damaged(file, `${name} has another digest or size`);
  return member;
}

interface DockerEntry {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Layers: readonly string[];
}

/** Has no manifest for registries: one is made, which is the same for the same image. */
function ofDocker(members: ArchiveMembers, file: string): ArchivedImage {
  const entries = json<readonly DockerEntry[]>(members, "manifest.json", file);
  const [entry] = entries;
  if (entry === undefined) throw damaged(file, "its manifest names no image");
  if (entries.length > 1) throw severalImages(file, entries.length);
  const take = (name: string): Member => {
    const member = members.byName.get(name);
    if (member === undefined) throw damaged(file, `it lacks ${name}`);
    return member;
  };
  const config = take(entry.Config);
  const { rootfs } = json<{ readonly rootfs?: { readonly diff_ids?: readonly string[] } }>(members, entry.Config, file);
  const layers = entry.Layers.map(take);
  if (layers.length !== (rootfs?.diff_ids ?? []).length) throw damaged(file, "its configuration has other layers");
  for (const [index, layer] of layers.entries()) {
    const isPlain = compressionOf(layer) === "";
    if (isPlain && layer.digest !== rootfs?.diff_ids?.[index]) throw damaged(file, `${layer.name} has another digest`);
  }
  const described = (member: Member, mediaType: string): Descriptor => {
    const { digest, size } = member;
    return { mediaType, digest, size };
  };
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: described(config, `${oci}.config.v1+json`),
    layers: layers.map((layer) => described(layer, `${oci}.layer.v1.tar${compressionOf(layer)}`)),
  });
  const bytes = Buffer.from(text, "utf8");
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return {
    names: entry.RepoTags ?? [],
    manifest: { mediaType: `${oci}.manifest.v1+json`, bytes, digest },
    blobs: new Map([config, ...layers].map((member) => [member.digest, member])),
  };
}

/** What the media type of a layer says about it. */
function compressionOf({ head }: Member): "" | "+gzip" | "+zstd" {
  const start = head.toString("hex");
  return start.startsWith("1f8b") ? "+gzip" : start === "28b52ffd" ? "+zstd" : "";
}

function json<T>({ byName }: ArchiveMembers, name: string, file: string): T {
  try {
    return JSON.parse(byName.get(name)?.text ?? "") as T;
  } catch {
    throw damaged(file, `${name} is no JSON`);
  }
}

const severalImages = (file: string, count: number): UserError =>
  new UserError("image-archive", `${file} has ${count} images`, "save one image in an archive of its own");
