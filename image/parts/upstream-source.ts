import * as fs from "node:fs/promises";
import * as path from "node:path";
import { partsFolder } from "../../host/data-folder";
import { download } from "../../host/download";
import { removeTree } from "../../host/file-store";
import { discard, httpGet, httpGetText } from "../../host/http-get";
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

/** How long a server may take to answer before another source is used. */
const ANSWER_WITHIN_MS = 3000;

/** The programs as their projects publish them; each is used only with the checksum published beside it. */
export function upstreamSource({ addresses = publicAddresses, ca }: UpstreamOptions = {}): PartSource {
  let answer: Promise<Availability> | undefined;
  return {
    name: "upstream",
    provides: (part) => part.kind === "programs" && isPublished(part.recipe),
    available: () => {
      answer ??= probe(`${addresses.kubernetes}/stable.txt`, ca);
      return answer;
    },
    fetch: (part, target, context) => fetchPart(part, target, addresses, ca, context),
  };
}

async function probe(url: string, ca?: string): Promise<Availability> {
  const { host } = new URL(url);
  try {
    const response = await httpGet(url, {
      ca,
      idleTimeoutMs: ANSWER_WITHIN_MS,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    discard(response);
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
  const downloads = path.join(partsFolder(), "downloads");
  const files = upstreamFiles(recipe, addresses);
  for (const [index, file] of files.entries()) {
    const local = path.join(downloads, `${recipe.name}-${recipe.version}-${file.name}`);
    await fetchFile(file, local, ca, `${recipe.name} ${recipe.version}`, index / files.length, context);
    await unpack(file, local, target);
    await removeTree(local);
  }
  if (files.length === 0) {
    const image = { registry: addresses.registry, repository: recipe.name, tag: recipe.version };
    await fetchFromImage(image, recipe.programs, target, downloads, { ca, signal: context.signal });
  }
  return `published by its project, from ${new URL(files[0]?.url ?? addresses.registry).host}`;
}

async function fetchFile(
  file: UpstreamFile,
  local: string,
  ca: string | undefined,
  phase: string,
  fraction: number,
  { progress, signal }: BuildContext,
): Promise<void> {
  const sha256 = checksumIn(await httpGetText(file.checksum.url, { ca, signal }), file.checksum.kind, file.name);
  if (!sha256) {
    throw new UserError(
      "checksum",
      `${file.checksum.url} gives no checksum for ${file.name}`,
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
  await download(file.url, local, { sha256, ca, signal, onProgress });
}

async function unpack(file: UpstreamFile, local: string, target: string): Promise<void> {
  if (file.members) return extractMembers(local, file.members, target);
  const program = path.join(target, file.program ?? file.name);
  await fs.copyFile(local, program);
  await fs.chmod(program, 0o755);
}
