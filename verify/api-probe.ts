import * as path from "node:path";
import { Worker } from "node:worker_threads";
import { projectFolder } from "../host/project-folder";
import type { Sample } from "../model/contract-report";
import { askApi } from "./ask-api";
import { summarizeSamples, type Watched } from "./samples";

/** What the thread is told. */
export interface ProbeOrder {
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/**
 * Asks `url` every `intervalMs` until `stop` is called, from a thread of its own: whoever makes the fault has much to do in
 * the same moment, and a client that is held up by it would see an outage that there is not.
 */
export function probeApi(url: string, intervalMs: number, timeoutMs = 1000): { stop(): Promise<Watched> } {
  const workerData: ProbeOrder = { url, intervalMs, timeoutMs };
  const thread = new Worker(path.join(projectFolder(), "dist", "api-probe.js"), { workerData, execArgv: [] });
  const samples = new Promise<readonly Sample[]>((resolve, reject) => {
    thread.once("message", resolve);
    thread.once("error", reject);
  });
  // A thread that fails is told when its result is asked for.
  samples.catch(() => {});
  return {
    async stop() {
      thread.postMessage("stop");
      return summarizeSamples((await samples).map(onOurClock));
    },
  };
}

/** A thread's clock begins with the thread; it gives times since 1970. */
const onOurClock = ({ startedMs, error }: Sample): Sample => ({ startedMs: startedMs - performance.timeOrigin, error });

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
      const error = await askApi(url, 1000);
      if (error === undefined) finish(performance.now() - startedMs);
    }, 100);
    signal.addEventListener("abort", () => finish(undefined), { once: true });
  });
}
