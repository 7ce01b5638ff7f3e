import * as path from "node:path";

import type { Host } from "../../model/host";
import {
  acceptsUnpinned,
  downloadKey,
  type PinnedDigests,
  pinnedDigests,
  unpinnedHint,
} from "../../model/pinned-downloads";

import { UserError } from "../../model/user-error";
import type { ProgramsRecipe } from "../recipes/recipe";
import type { BuildContext } from "../store/build-context";
import type { Availability, Part, PartSource } from "./part";
import { fetchFromImage, type RegistryImage } from "./registry-image";
import { extractMembers } from "./tar-members";
import {
  checksumIn,
  isPublished,
  publicAddresses,
  type UpstreamAddresses,
  type UpstreamFile,
  upstreamFiles,
} from "./upstream-files";

export interface UpstreamOptions {
  readonly addresses?: UpstreamAddresses;
  /** Certificates to trust instead of the public ones, PEM. */
  readonly ca?: string;
  readonly digests?: PinnedDigests;
  /** Accepts the published checksum of a file without a pinned digest. */
  readonly unpinned?: boolean;
}

type Settings = Required<Omit<UpstreamOptions, "ca">> & Pick<UpstreamOptions, "ca">;

/** A server that takes longer to answer is not used. */
const ANSWER_WITHIN_MS = 3000;

/** The programs as their projects publish them, each verified by the digest that is committed here. */
export function upstreamSource(host: Host, options: UpstreamOptions = {}): PartSource {
  const settings: Settings = {
    addresses: publicAddresses,
    digests: pinnedDigests,
    unpinned: acceptsUnpinned(host.facts.env),
    ...options,
  };
  let answer: Promise<Availability> | undefined;
  return {
    name: "upstream",
    provides: (part) => part.kind === "programs" && isPublished(part.recipe),
    available: async (part) => {
      if (!settings.unpinned && !isPinned(part, settings))
        return { usable: false, reason: `this release has no digest of the files; ${unpinnedHint}` };
      answer ??= probe(host, `${settings.addresses.kubernetes}/stable.txt`, settings.ca);
      return answer;
    },
    fetch: (part, target, context) => fetchPart(part, target, settings, context),
  };
}

/** @param part undefined for the question whether any part is pinned */
function isPinned(part: Part | undefined, { addresses, digests }: Settings): boolean {
  const programs = Object.keys(digests).filter((key) => !/^(?:go|pulumi|pulumi-resource-command) /.test(key));
  if (part?.kind !== "programs") return programs.length > 0;
  return keysOf(part.recipe, addresses).every((key) => Object.hasOwn(digests, key));
}

/** The keys of everything that a part is made from. */
export function keysOf(recipe: ProgramsRecipe, addresses = publicAddresses): readonly string[] {
  const files = upstreamFiles(recipe, addresses).map(({ name }) => name);
  return (files.length === 0 ? [imageKey] : files).map((file) => downloadKey(recipe.name, recipe.version, file));
}

/** The manifest of a container image. */
export const imageKey = "image";

async function probe({ network }: Host, url: string, ca?: string): Promise<Availability> {
  const { host } = new URL(url);
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    await network.reach(url, { ca, idleTimeoutMs: ANSWER_WITHIN_MS, signal });
    return { usable: true, reason: `${host} answers` };
  } catch {
    return { usable: false, reason: `${host} does not answer` };
  }
}

async function fetchPart(part: Part, target: string, settings: Settings, context: BuildContext): Promise<string> {
  if (part.kind !== "programs") throw new Error("upstream has programs only");
  const { recipe } = part;
  const { host, signal } = context;
  const { addresses, ca, digests } = settings;
  const downloads = path.join(host.folders.parts(), "downloads");
  const files = upstreamFiles(recipe, addresses);
  for (const [index, file] of files.entries()) {
    const local = path.join(downloads, `${recipe.name}-${recipe.version}-${file.name}`);
    await fetchFile(file, local, recipe, { settings, fraction: index / files.length }, context);
    await unpackFile(host, file, local, target);
    await host.files.remove(local);
  }
  if (files.length === 0) {
    const digest = digests[downloadKey(recipe.name, recipe.version, imageKey)];
    await fetchFromImage(host, { ...imageOf(recipe, addresses), digest }, recipe.programs, target, downloads, {
      ca,
      signal,
    });
  }
  return `published by its project, from ${new URL(files[0]?.url ?? addresses.registry).host}`;
}

export const imageOf = ({ name, version }: ProgramsRecipe, { registry }: UpstreamAddresses): RegistryImage => ({
  registry,
  repository: name,
  tag: version,
});

async function fetchFile(
  file: UpstreamFile,
  local: string,
  recipe: ProgramsRecipe,
  { settings, fraction }: { readonly settings: Settings; readonly fraction: number },
  { host, progress, signal }: BuildContext,
): Promise<void> {
  const { ca, digests } = settings;
  const pinned = digests[downloadKey(recipe.name, recipe.version, file.name)];
  const sha256 = pinned ?? (await publishedDigest(host, file, { ca, signal }));
  const phase = `${recipe.name} ${recipe.version}`;
  let shown = 0;
  const onProgress = (present: number): void => {
    const megabytes = Math.floor(present / 10_000_000) * 10;
    if (megabytes > shown) progress({ phase, message: `fetching ${file.name}, ${megabytes} MB`, fraction });
    shown = megabytes;
  };
  progress({ phase, message: `fetching ${file.name}`, fraction });
  await host.network.download(file.url, local, { sha256, ca, signal, onProgress });
}

/** What the project says itself, on the server that the file comes from. */
export async function publishedDigest(
  { network }: Host,
  { checksum, name }: UpstreamFile,
  options: { readonly ca?: string; readonly signal?: AbortSignal },
): Promise<string> {
  const sha256 = checksumIn(await network.getText(checksum.url, options), checksum.kind, name);
  if (sha256) return sha256;
  throw new UserError(
    "checksum",
    `${checksum.url} has no checksum for ${name}`,
    "use another source: npx groundplane doctor lists them",
  );
}

/** Writes the programs of a file, which is here, to a folder. */
export async function unpackFile(host: Host, file: UpstreamFile, local: string, target: string): Promise<void> {
  if (file.members) return extractMembers(host, local, file.members, target);
  await host.trees.copyFile(local, path.join(target, file.program ?? file.name), 0o755);
}
