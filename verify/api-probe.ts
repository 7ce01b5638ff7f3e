import { type MeasuringClient, startClient } from "./measuring-client";
import { probeOnce } from "./probe-once";

/**
 * A response that comes later counts as none. It is as long as TCP waits before it repeats a lost packet of a new connection, so a connection that needed
 * this counts as a timeout, and does not end a gap.
 */
const TIMEOUT_MS = 1_000;

const TEXT = "ok";

/** Asks `url` of an API server every `intervalMs` until `stop` is called. */
export const probeApi = (url: string, intervalMs: number, ca?: string): MeasuringClient =>
  startClient({
    ...{ does: "read", intervalMs },
    question: { url, timeoutMs: TIMEOUT_MS, text: TEXT, ...(ca !== undefined && { ca }) },
  });

/**
 * Probes `url` ten times per second until the first successful response. Returns the milliseconds since the call, or
 * `undefined` when `signal` aborts first.
 */
export function firstResponse(url: string, signal: AbortSignal): Promise<number | undefined> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const finish = (elapsedMs: number | undefined): void => {
      clearInterval(timer);
      resolve(elapsedMs);
    };
    const timer = setInterval(async () => {
      const error = await probeOnce({ url, timeoutMs: TIMEOUT_MS, text: TEXT });
      if (error === undefined) finish(performance.now() - startedMs);
    }, 100);
    signal.addEventListener("abort", () => finish(undefined), { once: true });
  });
}
