import * as path from "node:path";
import { partsFolder } from "../host/data-folder";
import { download } from "../host/download";
import { removeTree } from "../host/file-store";
import { discard, httpGet, httpGetText } from "../host/http-get";
import { runCommand } from "../host/run-command";
import { acceptsUnpinned, downloadKey, pinnedDigests } from "../model/pinned-downloads";
import { UserError } from "../model/user-error";
import type { ObtainOptions } from "./pulumi-tool";
import { PULUMI_VERSION } from "./pulumi-tool";

/** Where releases are downloaded from; other than the official site only in tests. */
export interface ReleaseSite {
  readonly url: string;
  readonly allowHttp?: boolean;
}

const officialSite: ReleaseSite = { url: "https://get.pulumi.com/releases/sdk" };
const REACHABLE_WITHIN_MS = 5_000;

const archiveName = (): string => `pulumi-v${PULUMI_VERSION}-${process.platform}-${process.arch}.tar.gz`;
const checksumsName = `pulumi-${PULUMI_VERSION}-checksums.txt`;

/** The archive of this platform, and the digest that is committed for it; undefined when there is none. */
const pinnedDigest = (): string | undefined => pinnedDigests[downloadKey("pulumi", PULUMI_VERSION, archiveName())];

/** Whether the official release can be verified here, or the user accepts the checksum that its own server publishes. */
export const mayDownload = (): boolean => pinnedDigest() !== undefined || acceptsUnpinned(process.env);

/** Asks for the published checksums. Waits only a few seconds, because many networks block this site. */
export async function isDownloadReachable(signal?: AbortSignal, site = officialSite): Promise<boolean> {
  const limit = AbortSignal.timeout(REACHABLE_WITHIN_MS);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  const options = { signal: either, allowHttp: site.allowHttp, idleTimeoutMs: REACHABLE_WITHIN_MS };
  return httpGet(`${site.url}/${checksumsName}`, options).then(
    (answer) => {
      discard(answer);
      return true;
    },
    () => false,
  );
}

/**
 * Downloads the official release, compares it with the committed digest, or else with the published one, and unpacks it into
 * `binFolder`. An interrupted download resumes.
 *
 * @throws UserError `pulumi-not-obtained`
 */
export async function downloadPulumi(
  binFolder: string,
  { progress, signal }: ObtainOptions,
  { url, allowHttp }: ReleaseSite = officialSite,
  pinned: string | null = pinnedDigest() ?? null,
): Promise<void> {
  const archive = path.join(partsFolder(), archiveName());
  const sha256 = pinned ?? checksumOf(archiveName(), await publishedChecksums({ url, allowHttp }, signal));
  progress?.(`downloading Pulumi ${PULUMI_VERSION} from ${url}`);
  await download(`${url}/${archiveName()}`, archive, { sha256, signal, allowHttp }).catch(explain);
  await runCommand(["tar", "-xzf", archive, "--strip-components=1", "-C", binFolder], { signal });
  await removeTree(archive);
}

/** Lines of `DIGEST  FILE` for all platforms. */
export const publishedChecksums = async (
  { url, allowHttp }: ReleaseSite = officialSite,
  signal?: AbortSignal,
): Promise<string> => httpGetText(`${url}/${checksumsName}`, { signal, allowHttp }).catch(explain);

function checksumOf(name: string, checksums: string): string {
  const line = checksums.split("\n").find((candidate) => candidate.trim().endsWith(name));
  const checksum = line?.trim().split(/\s+/)[0];
  if (checksum && /^[0-9a-f]{64}$/.test(checksum)) return checksum;
  throw notObtained(`${checksumsName} has no checksum for ${name}`);
}

function explain(error: unknown): never {
  throw error instanceof UserError ? notObtained(error.problem, error) : error;
}

function notObtained(problem: string, cause?: unknown): UserError {
  return new UserError(
    "pulumi-not-obtained",
    problem,
    `try again, or install Pulumi ${PULUMI_VERSION} or later yourself: https://www.pulumi.com/docs/install/`,
    { cause },
  );
}
