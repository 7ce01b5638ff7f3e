import * as https from "node:https";
import { administratorIn } from "../guests/administrator";

/** Sends requests as the administrator through the host's port, each over a new TLS connection. */
export interface ApiClient {
  /** Throws `Error` when there is no response in time. Any status is a response. */
  request(method: string, path: string, body?: unknown, timeoutMs?: number): Promise<Response>;
  /** Opens a stream and passes each line on until `signal` aborts; throws when the stream ends earlier. */
  stream(path: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void>;
}

export interface Response {
  readonly status: number;
  readonly text: string;
}

const TIMEOUT_MS = 1_000;

export function apiClient(kubeconfig: string): ApiClient {
  const { server, ...options } = administratorIn(kubeconfig);
  const url = (path: string): string => `${server}${path}`;
  return {
    request(method, path, body, timeoutMs = TIMEOUT_MS) {
      const headers = body === undefined ? {} : { "content-type": "application/json" };
      return new Promise((resolve, reject) => {
        const request = https.request(url(path), { ...options, method, headers }, (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", reject);
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString("utf8") }),
          );
        });
        const limit = setTimeout(() => request.destroy(new Error("timeout")), timeoutMs);
        request.on("error", (error: NodeJS.ErrnoException) => reject(new Error(error.code ?? error.message)));
        request.on("close", () => clearTimeout(limit));
        request.end(body === undefined ? undefined : JSON.stringify(body));
      });
    },
    stream(path, onLine, signal) {
      return new Promise((resolve, reject) => {
        let rest = "";
        const request = https.get(url(path), options, (response) => {
          response.on("data", (part: Buffer) => {
            const lines = (rest + part.toString("utf8")).split("\n");
            rest = lines.pop() ?? "";
            for (const line of lines) onLine(line);
          });
          response.on("error", reject);
          response.on("end", () => reject(new Error("the stream ended")));
        });
        request.on("error", reject);
        signal.addEventListener("abort", () => {
          resolve();
          request.destroy();
        });
      });
    },
  };
}
