import { createWriteStream } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import type { DownloadOptions } from "../model/host";
import { UserError } from "../model/user-error";
import { createFolders } from "./data-folder";
import { digestFile } from "./digest-file";
import { moveTree, removeTree } from "./file-store";
import { discard, type HttpAnswer, httpGet } from "./http-get";

/**
 * Downloads a file over HTTPS. Resumes from `<file>.partial`, which an interrupted attempt leaves.
 *
 * @throws UserError `network` if the server cannot be reached or the connection breaks (the partial file is kept),
 * `download-refused` for any unsuccessful answer, `checksum` if the checksum differs (the file is removed)
 */
export async function download(url: string, file: string, options: DownloadOptions): Promise<void> {
  const partial = `${file}.partial`;
  await createFolders(path.dirname(file));
  await receive(url, partial, options);
  const found = await digestFile(partial);
  if (found !== options.sha256.toLowerCase()) {
    await removeTree(partial);
    throw new UserError(
      "checksum",
      `${url} has the checksum ${found}; expected ${options.sha256}`,
      "try again; if it persists, the server or a proxy changes files, so do not use them",
    );
  }
  await moveTree(partial, file);
}

async function receive(url: string, partial: string, options: DownloadOptions): Promise<void> {
  const have = await sizeOf(partial);
  const response = await httpGet(
    url,
    { ...options, headers: have > 0 ? { Range: `bytes=${have}-` } : {} },
    [200, 206, 416],
  );
  // 416: the partial file is complete. 200: the server sends the whole file again.
  if (response.status === 416) return discard(response);
  const start = response.status === 206 ? have : 0;
  await save(url, response, partial, start, options);
}

async function save(
  url: string,
  { header, body }: HttpAnswer,
  partial: string,
  start: number,
  { onProgress, signal }: DownloadOptions,
): Promise<void> {
  const length = Number(header("content-length"));
  const total = Number.isFinite(length) ? start + length : undefined;
  let present = start;
  body.on("data", (chunk: Buffer) => {
    present += chunk.length;
    onProgress?.(present, total);
  });
  try {
    await pipeline(body, createWriteStream(partial, { flags: start > 0 ? "a" : "w" }), { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    if ((cause as NodeJS.ErrnoException).code === "ENOSPC") throw cause;
    throw new UserError(
      "network",
      `the connection broke during the download of ${url}`,
      "try again; the download resumes",
      {
        cause,
      },
    );
  }
}

async function sizeOf(file: string): Promise<number> {
  return fs.stat(file).then(
    (status) => status.size,
    () => 0,
  );
}
