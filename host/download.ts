import { createWriteStream } from "node:fs";
import * as fs from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import type { DownloadOptions } from "../model/host";
import { UserError } from "../model/user-error";
import { digestFile } from "./digest-file";
import { removeTree } from "./file-store";
import { httpGet } from "./http-get";

/**
 * Fetches a file over HTTPS. What an earlier, broken attempt left in `<file>.partial` is gone on with.
 *
 * @throws UserError `network` when the server cannot be reached or the connection breaks (what came is kept),
 * `download-refused` for any answer but success, `checksum` when the content is not what it should be (it is removed)
 */
export async function download(url: string, file: string, options: DownloadOptions): Promise<void> {
  const partial = `${file}.partial`;
  await fs.mkdir(path.dirname(file), { recursive: true });
  await receive(url, partial, options);
  const found = await digestFile(partial);
  if (found !== options.sha256.toLowerCase()) {
    await removeTree(partial);
    throw new UserError(
      "checksum",
      `${url} has the checksum ${found}, it should have ${options.sha256}`,
      "try again; if it stays like this, the server or something on the way to it changes files: do not use them",
    );
  }
  await fs.rename(partial, file);
}

async function receive(url: string, partial: string, options: DownloadOptions): Promise<void> {
  const have = await sizeOf(partial);
  const response = await httpGet(
    url,
    { ...options, headers: have > 0 ? { Range: `bytes=${have}-` } : {} },
    [200, 206, 416],
  );
  // 416: all of it was there already. 200: the server sends all of it anew.
  if (response.statusCode === 416) {
    response.resume();
    return;
  }
  const start = response.statusCode === 206 ? have : 0;
  await save(url, response, partial, start, options);
}

async function save(
  url: string,
  response: IncomingMessage,
  partial: string,
  start: number,
  { onProgress, signal }: DownloadOptions,
): Promise<void> {
  const length = Number(response.headers["content-length"]);
  const total = Number.isFinite(length) ? start + length : undefined;
  let present = start;
  response.on("data", (chunk: Buffer) => {
    present += chunk.length;
    onProgress?.(present, total);
  });
  try {
    await pipeline(response, createWriteStream(partial, { flags: start > 0 ? "a" : "w" }), { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    if ((cause as NodeJS.ErrnoException).code === "ENOSPC") throw cause;
    throw new UserError("network", `the connection broke while ${url} was fetched`, "try again: what came is kept", {
      cause,
    });
  }
}

async function sizeOf(file: string): Promise<number> {
  return fs.stat(file).then(
    (status) => status.size,
    () => 0,
  );
}
