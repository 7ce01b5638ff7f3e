import * as path from "node:path";
import { Worker } from "node:worker_threads";
import { projectFolder } from "../host/project-folder";
import type { Sample } from "../model/contract-report";
import { probeOnce } from "./probe-once";
import { type ProbeResult, summarizeSamples } from "./samples";

/** The parameters of the probe thread. */
export interface ProbeOrder {
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Verifies the server's certificate; absent: it is not verified. */
  readonly ca?: string;
}

/**
 * Probes `url` every `intervalMs` until `stop` is called, from a separate thread: injecting the fault keeps the main thread
 * busy, and a delayed client would report an outage that does not exist.
 */
export function probeApi(
  url: string,
  intervalMs: number,
  timeoutMs = 1000,
  ca?: string,
): { stop(): Promise<ProbeResult> } {
  const workerData: ProbeOrder = { url, intervalMs, timeoutMs, ...(ca !== undefined && { ca }) };
  const thread = new Worker(path.join(projectFolder(), "dist", "api-probe.js"), { workerData, execArgv: [] });
  const samples = new Promise<readonly Sample[]>((resolve, reject) => {
    thread.once("message", resolve);
    thread.once("error", reject);
  });
  // `stop` reports the error of a failed thread.
  samples.catch(() => {});
  return {
    async stop() {
      thread.postMessage("stop");
      return summarizeSamples((await samples).map(toLocalClock));
    },
  };
}

/** The thread's clock starts with the thread, so it sends times since 1970. */
const toLocalClock = ({ startedMs, error }: Sample): Sample => ({
  startedMs: startedMs - performance.timeOrigin,
  error,
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
      const error = await probeOnce(url, 1000);
      if (error === undefined) finish(performance.now() - startedMs);
    }, 100);
    signal.addEventListener("abort", () => finish(undefined), { once: true });
  });
}
