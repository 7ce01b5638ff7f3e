import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** 256 bits, in letters that need no escape in an address. */
export const makeToken = (): string => randomBytes(32).toString("base64url");

export interface Asked {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Guarded {
  readonly port: number;
  readonly token: string;
}

const own = ({ port }: Guarded): readonly string[] => [`127.0.0.1:${port}`, `localhost:${port}`];

/**
 * Why a request is refused, whatever it asks for; undefined: it is not. A page of another server can name this one under a name of
 * its own (DNS rebinding), which `Host` shows, or send requests to it, which `Origin` and `Sec-Fetch-Site` show.
 */
export function strangeRequest({ method, headers }: Asked, guarded: Guarded): string | undefined {
  const hosts = own(guarded);
  const { host = "", origin } = headers;
  if (!hosts.includes(host)) return "this server has another name";
  if (origin !== undefined && !hosts.some((each) => origin === `http://${each}`)) return "another page asks";
  const site = headers["sec-fetch-site"];
  const isVisit = site === "none" || (headers["sec-fetch-mode"] === "navigate" && method === "GET");
  if (site !== undefined && site !== "same-origin" && !isVisit) return "another page asks";
  return undefined;
}

/**
 * Why a request that changes something is refused, beside what holds for all of them. Browsers name the page that sends it, and other
 * pages cannot send JSON without asking first.
 */
export function strangeOrder({ headers }: Asked): string | undefined {
  if (headers.origin === undefined) return "only the page itself may change something";
  const type = headers["content-type"] ?? "";
  if (!/^application\/json(?:;|$)/.test(type)) return "only JSON";
  const length = headers["content-length"] ?? "";
  return /^\d{1,3}$/.test(length) ? undefined : "the length is missing, or too large";
}

/**
 * The page has the token from the fragment of its address, which no browser sends, and gives it in a header, which no other page
 * can. A cookie would reach every server of this host: cookies do not tell ports apart.
 */
export function hasToken({ headers }: Asked, { token }: Guarded): boolean {
  const [, given = ""] = /^Bearer (\S+)$/.exec(headers.authorization ?? "") ?? [];
  return timingSafeEqual(digest(given), digest(token));
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Of every response. Nothing comes from elsewhere, and nothing of it is shown, read or kept elsewhere. */
export const safeHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    ...["script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'"],
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"],
  ].join("; "),
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};
