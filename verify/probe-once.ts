import * as http from "node:http";
import * as https from "node:https";
import * as tls from "node:tls";
import type { Question } from "./client-order";

/** Sends one request and returns the error, or `undefined` on success. */
export const probeOnce = (question: Question): Promise<string | undefined> => prober(question)();

/** Sends a request with each call. Its connections share what they trust: to prepare that is a quarter of a request's processor time. */
export function prober({ url, timeoutMs, ca, text }: Question): () => Promise<string | undefined> {
  const trust = { rejectUnauthorized: ca !== undefined, secureContext: tls.createSecureContext({ ca }) };
  const get = url.startsWith("https:") ? https.get : http.get;
  return () =>
    new Promise((resolve) => {
      const request = get(url, { agent: false, ...trust }, (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => {
          body += chunk.toString("utf8");
        });
        response.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        response.on("end", () => {
          const good = response.statusCode === 200 && (text === undefined ? body !== "" : body === text);
          resolve(good ? undefined : `status ${response.statusCode}`);
        });
      });
      // The request's own `timeout` only emits an event; it does not close a hanging connection.
      const limit = setTimeout(() => request.destroy(new Error("timeout")), timeoutMs);
      request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      request.on("close", () => clearTimeout(limit));
    });
}
