import { createWriteStream } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { partsFolder } from "../host/data-folder";
import { digestFile } from "../host/digest-file";
import { runCommand } from "../host/run-command";
import { UserError } from "../model/user-error";
import type { ObtainOptions } from "./pulumi-tool";
import { PULUMI_VERSION } from "./pulumi-version";

const OFFICIAL_RELEASES = "https://get.pulumi.com/releases/sdk";
const REACHABLE_WITHIN_MS = 5_000;

const archiveName = (): string => `pulumi-v${PULUMI_VERSION}-${process.platform}-${process.arch}.tar.gz`;
const checksumsName = `pulumi-${PULUMI_VERSION}-checksums.txt`;

/** Asks for the published checksums and waits a few seconds at most: many machines are kept away from this site. */
export async function isDownloadReachable(signal?: AbortSignal, releases = OFFICIAL_RELEASES): Promise<boolean> {
  const limit = AbortSignal.timeout(REACHABLE_WITHIN_MS);
  const either = signal ? AbortSignal.any([signal, limit]) : limit;
  const response = await fetch(`${releases}/${checksumsName}`, { method: "HEAD", signal: either }).catch(
    () => undefined,
  );
  return response?.ok ?? false;
}

/**
 * Unpacks the official release into `binFolder`, after comparing it with its published SHA-256. An interrupted download
 * goes on where it stopped.
 *
 * @throws UserError `pulumi-not-obtained`
 */
export async function downloadPulumi(
  binFolder: string,
  { progress, signal }: ObtainOptions,
  releases = OFFICIAL_RELEASES,
): Promise<void> {
  const archive = path.join(partsFolder(), archiveName());
  const expected = await publishedChecksum(`${releases}/${checksumsName}`, archiveName(), signal);
  progress?.(`downloading Pulumi ${PULUMI_VERSION} from ${releases}`);
  await fs.mkdir(partsFolder(), { recursive: true });
  await continueDownload(`${releases}/${archiveName()}`, archive, signal);
  if ((await digestFile(archive)) !== expected) {
    await fs.rm(archive, { force: true });
    throw notObtained(`${releases}/${archiveName()} does not match its published checksum`);
  }
  await runCommand(["tar", "-xzf", archive, "--strip-components=1", "-C", binFolder], { signal });
  await fs.rm(archive, { force: true });
}

async function publishedChecksum(url: string, name: string, signal?: AbortSignal): Promise<string> {
  const text = await (await request(url, { signal })).text();
  const line = text.split("\n").find((candidate) => candidate.trim().endsWith(name));
  const checksum = line?.trim().split(/\s+/)[0];
  if (!checksum || !/^[0-9a-f]{64}$/.test(checksum)) throw notObtained(`${url} names no checksum for ${name}`);
  return checksum;
}

async function continueDownload(url: string, file: string, signal?: AbortSignal): Promise<void> {
  const present = await fs.stat(file).then(
    (stat) => stat.size,
    () => 0,
  );
  const headers: Record<string, string> = present > 0 ? { range: `bytes=${present}-` } : {};
  const response = await request(url, { headers, signal }, [416]);
  if (response.status === 416 || !response.body) return; // nothing is missing
  const flags = response.status === 206 ? "a" : "w";
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file, { flags }));
}

async function request(url: string, init: RequestInit, alsoFine: readonly number[] = []): Promise<Response> {
  const response = await fetch(url, init).catch((cause: Error) => {
    throw notObtained(`${url} cannot be read: ${cause.message}`, cause);
  });
  if (!response.ok && !alsoFine.includes(response.status)) throw notObtained(`${url} answers ${response.status}`);
  return response;
}

function notObtained(problem: string, cause?: unknown): UserError {
  return new UserError(
    "pulumi-not-obtained",
    problem,
    `try again, or install Pulumi ${PULUMI_VERSION} or later yourself: https://www.pulumi.com/docs/install/`,
    { cause },
  );
}
