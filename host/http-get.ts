import type { IncomingMessage } from "node:http";
import * as https from "node:https";
import type { HttpOptions } from "../model/host";
import { UserError } from "../model/user-error";

const MAX_REDIRECTS = 5;

/**
 * The answer to a GET over HTTPS, redirects followed, its body still to be read.
 * @throws UserError `network`, `download-refused`
 */
export async function httpGet(
  url: string,
  options: HttpOptions = {},
  accepted: readonly number[] = [200],
): Promise<IncomingMessage> {
  let place = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await request(place, options);
    const status = response.statusCode ?? 0;
    if (accepted.includes(status)) return response;
    response.resume();
    const { location } = response.headers;
    if (status < 300 || status > 399 || !location) throw refused(url, `answers with status ${status}`);
    place = new URL(location, place).href;
  }
  throw refused(url, "leads from one place to the next without end");
}

/** The body of such an answer as text, at most 4 MiB. */
export async function httpGetText(url: string, options: HttpOptions = {}): Promise<string> {
  const response = await httpGet(url, options);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += (chunk as Buffer).length;
      if (size > 4 * 1024 * 1024) throw refused(url, "sends far more than was expected");
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error instanceof UserError ? error : unreachable(url, error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function request(url: string, options: HttpOptions): Promise<IncomingMessage> {
  if (!url.startsWith("https://")) throw refused(url, "is no HTTPS address");
  return new Promise((resolve, reject) => {
    const { headers, ca, signal, idleTimeoutMs = 30_000 } = options;
    const sent = https.get(url, { headers: { "User-Agent": "groundplane", ...headers }, ca, signal }, resolve);
    sent.setTimeout(idleTimeoutMs, () => sent.destroy(new Error(`no answer for ${idleTimeoutMs} ms`)));
    sent.on("error", (cause) => reject(signal?.aborted ? signal.reason : unreachable(url, cause)));
  });
}

function unreachable(url: string, cause: unknown): UserError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new UserError("network", `${url} cannot be reached (${reason})`, "check the network, then try again", {
    cause,
  });
}

function refused(url: string, what: string): UserError {
  return new UserError(
    "download-refused",
    `${url} ${what}`,
    "try again later, or load a bundle made on another machine",
  );
}
