import * as https from "node:https";

/**
 * Asks `url` once and gives the error, `undefined` for a good answer. Certificates are not checked: reachability is
 * measured.
 */
export function askApi(url: string, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = https.get(url, { agent: false, rejectUnauthorized: false, timeout: timeoutMs }, (response) => {
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
    // `timeout` of the request only tells; a hanging connection has to be ended here.
    const limit = setTimeout(() => request.destroy(new Error("timeout")), timeoutMs);
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    request.on("close", () => clearTimeout(limit));
  });
}
