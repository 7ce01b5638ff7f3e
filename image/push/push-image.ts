import { createHash } from "node:crypto";
import type { Host } from "../../model/host";
import { type ImageRegistry, type ImageTarget, UnavailableRegistryError } from "../../model/image-registry";
import type { OnProgress } from "../store/build-context";
import { damaged, eachMember } from "./archive-members";
import type { ArchivedImage } from "./read-archive";

export interface PushOptions {
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** What a push has sent. */
export interface PushedImage {
  readonly digest: string;
  /** Blobs that the registry did not have. */
  readonly sent: number;
  /** It had the same image by this name already. */
  readonly isPresent: boolean;
}

const ATTEMPTS = 12;
const PAUSE_MS = 5_000;
const phase = "push";

/**
 * Pushes an image of an archive. What the registry has is not sent. A registry that does not respond, e.g. because another worker takes it
 * over, is asked again for a minute.
 *
 * @throws UserError `image-archive` when the archive has changed, and what the registry refuses; UnavailableRegistryError
 */
export async function pushImage(
  host: Pick<Host, "trees" | "clock">,
  archive: { readonly file: string; readonly image: ArchivedImage },
  target: ImageTarget,
  registry: ImageRegistry,
  { progress = () => {}, signal }: PushOptions = {},
): Promise<PushedImage> {
  const sent = new Set<string>();
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await pushOnce(host, archive, target, registry, { progress, signal, sent });
    } catch (error) {
      if (!(error instanceof UnavailableRegistryError) || attempt === ATTEMPTS || signal?.aborted) throw error;
      progress({ phase, message: `${error.message}; trying again` });
      await host.clock.sleep(PAUSE_MS);
    }
  }
}

async function pushOnce(
  host: Pick<Host, "trees">,
  { file, image }: { readonly file: string; readonly image: ArchivedImage },
  { repository, tag }: ImageTarget,
  registry: ImageRegistry,
  { progress, signal, sent }: Required<Pick<PushOptions, "progress">> & PushOptions & { readonly sent: Set<string> },
): Promise<PushedImage> {
  const { manifest, blobs } = image;
  const { digest } = manifest;
  if ((await registry.manifestDigest(repository, tag)) === digest)
    return { digest, sent: sent.size, isPresent: sent.size === 0 };
  const missing = new Map<string, string>();
  for (const [blob, { name }] of blobs) if (!(await registry.hasBlob(repository, blob))) missing.set(name, blob);
  if (missing.size > 0)
    await eachMember(host, file, async (name, content, size) => {
      const blob = missing.get(name);
      if (blob === undefined) return;
      signal?.throwIfAborted();
      progress({ phase, message: `sending ${blob.slice(0, 19)} (${Math.ceil(size / 2 ** 20)} MiB)` });
      await registry.upload(repository, blob, verified(content, blob, file));
      sent.add(blob);
    });
  await registry.putManifest(repository, tag, manifest);
  return { digest, sent: sent.size, isPresent: false };
}

/** The archive was read before: it may have been replaced since then. */
async function* verified(content: AsyncIterable<Buffer>, digest: string, file: string): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  for await (const chunk of content) {
    hash.update(chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest("hex")}` !== digest) throw damaged(file, "it has changed since it was read");
}
