/** A registry of container images, as a push needs it; guests/image-registry.ts reaches it over HTTPS. */
export interface ImageRegistry {
  /** Of a tag or a digest; `undefined` when there is none. */
  manifestDigest(repository: string, reference: string): Promise<string | undefined>;
  hasBlob(repository: string, digest: string): Promise<boolean>;
  /** Sends a blob in chunks. The registry verifies its digest. */
  upload(repository: string, digest: string, chunks: AsyncIterable<Buffer>): Promise<void>;
  putManifest(repository: string, reference: string, manifest: ImageManifest): Promise<void>;
}

export interface ImageManifest {
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** `sha256:…` */
  readonly digest: string;
}

/** It does not respond, or not with what it should: the same request may succeed later. */
export class UnavailableRegistryError extends Error {
  override readonly name = "UnavailableRegistryError";
}

/** A name and a tag in a registry. */
export interface ImageTarget {
  readonly repository: string;
  readonly tag: string;
}

const part = "[a-z0-9]+(?:(?:\\.|__?|-+)[a-z0-9]+)*";
const targetForm = new RegExp(`^(${part}(?:/${part})*)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?$`);

/** `app:2` or `team/app`, whose tag is `latest`; `undefined` for anything else. */
export function parseTarget(text: string): ImageTarget | undefined {
  const [, repository, tag = "latest"] = targetForm.exec(text) ?? [];
  return repository === undefined || repository.length > 200 ? undefined : { repository, tag };
}

/** The name of an image without the registry that it is from: `docker.io/library/app:2` is `app:2`. */
export function withoutRegistry(name: string): string {
  const [first = "", ...rest] = name.split("/");
  const isRegistry = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return (isRegistry ? rest.join("/") : name).replace(/^library\//, "");
}
