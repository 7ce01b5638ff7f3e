import * as https from "node:https";

/**
 * Sends one request and returns the error, or `undefined` on success.
 *
 * @param ca verifies the server's certificate; without it, certificates are not verified, because the probe measures reachability
 */
export function probeOnce(url: string, timeoutMs: number, ca?: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
    const request = https.get(url, { agent: false, ...trust, timeout: timeoutMs }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => {
        body += chunk.toString("utf8");
      });
      response.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      response.on("end", () => {
        const good = response.statusCode === 200 && body === "ok";
        resolve(good ? undefined : `status ${response.statusCode}`);
      });
    });
    // The request's `timeout` only emits an event; it does not close a hanging connection.
    const limit = setTimeout(() => request.destroy(new Error("timeout")), timeoutMs);
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    request.on("close", () => clearTimeout(limit));
  });
}
