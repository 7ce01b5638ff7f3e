import type { Readable } from "node:stream";
import { type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import type { HttpOptions } from "../model/host";
import { UserError } from "../model/user-error";
import { exemptLoopback } from "./exempt-loopback.cjs";

export interface HttpAnswer {
  readonly status: number;
  /** `undefined` if the header is absent. */
  readonly header: (name: "location" | "content-length") => string | undefined;
  readonly body: Readable;
}

const MAX_REDIRECTS = 5;
const MAX_TEXT_BYTES = 4 * 1024 * 1024;

/**
 * Sends a GET over HTTPS and follows redirects. The request goes through the proxy in `HTTPS_PROXY` or `HTTP_PROXY`,
 * unless the host is loopback or in `NO_PROXY`. Lower-case names of the variables work too.
 *
 * @throws UserError `network`, `download-refused`
 */
export async function httpGet(
  url: string,
  options: HttpOptions = {},
  accepted: readonly number[] = [200],
): Promise<HttpAnswer> {
  const dispatcher = agentFor(url, options);
  let place = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await send(place, options, dispatcher);
    const { status, header } = answer;
    if (accepted.includes(status)) return answer;
    discard(answer);
    const location = header("location");
    if (status < 300 || status > 399 || !location) throw refused(url, `returned status ${status}`);
    place = new URL(location, place).href;
  }
  throw refused(url, "redirects without end");
}

/** The body of the answer as text, at most 4 MiB. */
export async function httpGetText(url: string, options: HttpOptions = {}): Promise<string> {
  const { body } = await httpGet(url, options);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += (chunk as Buffer).length;
      if (size > MAX_TEXT_BYTES) throw refused(url, "sends far more than expected");
      chunks.push(chunk as Buffer);
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error instanceof UserError ? error : unreachable(url, error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Discards the body of an answer. */
export function discard({ body }: HttpAnswer): void {
  body.on("error", () => {}).destroy();
}

function agentFor(url: string, { ca, idleTimeoutMs = 30_000 }: HttpOptions): Dispatcher {
  const { no_proxy } = exemptLoopback({ ...process.env });
  const connect = { ca, timeout: idleTimeoutMs };
  const timeouts = { headersTimeout: idleTimeoutMs, bodyTimeout: idleTimeoutMs };
  try {
    return new EnvHttpProxyAgent({ connect, requestTls: connect, proxyTls: connect, noProxy: no_proxy, ...timeouts });
  } catch (cause) {
    throw unreachable(url, new Error("the proxy variables hold no valid address", { cause }));
  }
}

async function send(url: string, options: HttpOptions, dispatcher: Dispatcher): Promise<HttpAnswer> {
  const { headers, allowHttp, signal } = options;
  if (!url.startsWith("https://") && !(allowHttp && url.startsWith("http://")))
    throw refused(url, "is not an HTTPS URL");
  try {
    const answer = await request(url, { dispatcher, signal, headers: { "User-Agent": "groundplane", ...headers } });
    const header = (name: string): string | undefined => [answer.headers[name]].flat()[0];
    return { status: answer.statusCode, header, body: answer.body };
  } catch (cause) {
    throw signal?.aborted ? signal.reason : unreachable(url, cause);
  }
}

function unreachable(url: string, cause: unknown): UserError {
  const { message, code } = cause as NodeJS.ErrnoException;
  return new UserError(
    "network",
    `${url} cannot be reached (${message || code || String(cause)})`,
    "check the network and the proxy variables, then try again",
    { cause },
  );
}

function refused(url: string, what: string): UserError {
  return new UserError(
    "download-refused",
    `${url} ${what}`,
    "try again later, or load a bundle made on another machine",
  );
}
