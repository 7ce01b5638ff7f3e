import * as https from "node:https";
import { askRepeatedly, type Watched } from "./samples";

/** Asks `url` every `intervalMs` until `stop` is called. Certificates are not checked: reachability is measured. */
export function probeApi(url: string, intervalMs: number, timeoutMs = 1000): { stop(): Promise<Watched> } {
  return askRepeatedly(intervalMs, () => probeOnce(url, timeoutMs));
}

/**
 * Asks `url` ten times a second until it answers for the first time; gives the milliseconds since the call, or
 * `undefined` when `signal` ended it before.
 */
export function firstAnswer(url: string, signal: AbortSignal): Promise<number | undefined> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const finish = (answer: number | undefined): void => {
      clearInterval(timer);
      resolve(answer);
    };
    const timer = setInterval(async () => {
      const error = await probeOnce(url, 1000);
      if (error === undefined) finish(performance.now() - startedMs);
    }, 100);
    signal.addEventListener("abort", () => finish(undefined), { once: true });
  });
}

/** Gives the error, `undefined` for a good answer. */
function probeOnce(url: string, timeoutMs: number): Promise<string | undefined> {
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
