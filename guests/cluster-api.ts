import { setMaxListeners } from "node:events";
import * as https from "node:https";
import type { ApiConnection } from "../model/resource-types";
import { administratorIn } from "./administrator";

/** The administrator's requests to the cluster's API, over a few connections that stay open until `close`. */
export interface ClusterApi {
  /** @throws UnreachableApiError when there is no response; any status is a response */
  request(method: string, path: string, options?: RequestOptions): Promise<ApiResponse>;
  close(): void;
}

export interface RequestOptions {
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  /** The object, or a `Status` with the reason of a failure. */
  readonly body: Readonly<Record<string, unknown>>;
}

export class UnreachableApiError extends Error {
  override readonly name = "UnreachableApiError";
}

export function apiConnectionIn(kubeconfig: string): ApiConnection {
  const { server, ca, cert, key } = administratorIn(kubeconfig);
  return { server, certificateAuthority: String(ca), clientCertificate: String(cert), clientKey: String(key) };
}

const CONNECTIONS = 8;
const IDLE_MS = 10_000;

export function clusterApi(connection: ApiConnection): ClusterApi {
  const agent = new https.Agent({
    ca: connection.certificateAuthority,
    cert: connection.clientCertificate,
    key: connection.clientKey,
    keepAlive: true,
    maxSockets: CONNECTIONS,
  });
  return {
    request: (method, path, options = {}) => send(`${connection.server}${path}`, { method, agent }, options),
    close: () => agent.destroy(),
  };
}

function send(url: string, base: https.RequestOptions, options: RequestOptions): Promise<ApiResponse> {
  const { body, contentType = "application/json", signal } = options;
  const text = body === undefined ? "" : JSON.stringify(body);
  // Node.js gives no length to the body of a DELETE, which would then be taken for the next request.
  const ofBody = { "content-type": contentType, "content-length": Buffer.byteLength(text) };
  const headers = { accept: "application/json", ...(text === "" ? {} : ofBody) };
  // One signal for many requests at a time: more listeners than Node.js expects.
  if (signal) setMaxListeners(0, signal);
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void =>
      reject(signal?.aborted ? signal.reason : new UnreachableApiError(error.message || error.code));
    const request = https.request(url, { ...base, headers, signal, timeout: IDLE_MS }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("error", fail);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(parts)) }));
    });
    request.on("timeout", () => request.destroy(new Error(`no response within ${IDLE_MS} ms`)));
    request.on("error", fail);
    request.end(text);
  });
}

/** A proxy or a starting API server may respond with plain text. */
function parsed(bytes: Buffer): ApiResponse["body"] {
  const text = bytes.toString("utf8");
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? (value as ApiResponse["body"]) : { message: text };
  } catch {
    return { message: text };
  }
}
