import * as path from "node:path";

import type { Host } from "../../model/host";

import { UserError } from "../../model/user-error";
import type { BuildContext } from "../store/build-context";
import type { Availability, Part, PartSource } from "./part";
import { fetchFromImage } from "./registry-image";
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
}

/** A server that takes longer to answer is not used. */
const ANSWER_WITHIN_MS = 3000;

/** The programs as their projects publish them, each verified by the checksum published beside it. */
export function upstreamSource(host: Host, { addresses = publicAddresses, ca }: UpstreamOptions = {}): PartSource {
  let answer: Promise<Availability> | undefined;
  return {
    name: "upstream",
    provides: (part) => part.kind === "programs" && isPublished(part.recipe),
    available: () => {
      answer ??= probe(host, `${addresses.kubernetes}/stable.txt`, ca);
      return answer;
    },
    fetch: (part, target, context) => fetchPart(part, target, addresses, ca, context),
  };
}

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

async function fetchPart(
  part: Part,
  target: string,
  addresses: UpstreamAddresses,
  ca: string | undefined,
  context: BuildContext,
): Promise<string> {
  if (part.kind !== "programs") throw new Error("upstream has programs only");
  const { recipe } = part;
  const { host, signal } = context;
  const downloads = path.join(host.folders.parts(), "downloads");
  const files = upstreamFiles(recipe, addresses);
  for (const [index, file] of files.entries()) {
    const local = path.join(downloads, `${recipe.name}-${recipe.version}-${file.name}`);
    await fetchFile(file, local, ca, `${recipe.name} ${recipe.version}`, index / files.length, context);
    await unpack(host, file, local, target);
    await host.files.remove(local);
  }
  if (files.length === 0) {
    const image = { registry: addresses.registry, repository: recipe.name, tag: recipe.version };
    await fetchFromImage(host, image, recipe.programs, target, downloads, { ca, signal });
  }
  return `published by its project, from ${new URL(files[0]?.url ?? addresses.registry).host}`;
}

async function fetchFile(
  file: UpstreamFile,
  local: string,
  ca: string | undefined,
  phase: string,
  fraction: number,
  { host, progress, signal }: BuildContext,
): Promise<void> {
  const sha256 = checksumIn(
    await host.network.getText(file.checksum.url, { ca, signal }),
    file.checksum.kind,
    file.name,
  );
  if (!sha256) {
    throw new UserError(
      "checksum",
      `${file.checksum.url} has no checksum for ${file.name}`,
      "use another source: npx groundplane doctor lists them",
    );
  }
  let shown = 0;
  const onProgress = (present: number): void => {
    const megabytes = Math.floor(present / 10_000_000) * 10;
    if (megabytes > shown) progress({ phase, message: `fetching ${file.name}, ${megabytes} MB`, fraction });
    shown = megabytes;
  };
  progress({ phase, message: `fetching ${file.name}`, fraction });
  await host.network.download(file.url, local, { sha256, ca, signal, onProgress });
}

async function unpack(host: Host, file: UpstreamFile, local: string, target: string): Promise<void> {
  if (file.members) return extractMembers(host, local, file.members, target);
  await host.trees.copyFile(local, path.join(target, file.program ?? file.name), 0o755);
}
