import * as https from "node:https";
import { administratorIn } from "../guests/administrator";
import type { ProbeSample } from "./picture/state";

/** A request begins so often. */
export const PROBE_MS = 100;
/** An answer that takes longer is late. */
export const LATE_MS = 300;
/** One that takes longer counts as none. */
const NONE_MS = 1_000;
const MOST_PENDING = 12;

type Ask = () => Promise<Pick<ProbeSample, "outcome" | "tookMs">>;

/** Begins a request every 100 ms, whether or not the previous one has ended, and passes each result on. */
export function startProbe(ask: Ask, onSample: (sample: ProbeSample) => void): { stop(): void } {
  let pending = 0;
  let stopped = false;
  const timer = setInterval(async () => {
    const atMs = Date.now();
    if (pending >= MOST_PENDING) return;
    pending++;
    const sample = await ask();
    pending--;
    if (!stopped) onSample({ of: "api", atMs, ...sample });
  }, PROBE_MS);
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}

/**
 * Asks the API for a sign of life. While it answers, one connection serves all requests: a new one for each would cost this host and
 * the master ten times as much. After any other outcome each request opens its own, as a new client does.
 */
export function askApi(kubeconfig: string): { readonly ask: Ask; close(): void } {
  const { server, agent: _none, ...options } = administratorIn(kubeconfig);
  let kept = new https.Agent({ keepAlive: true });
  let answers = true;
  const ask: Ask = () => {
    const began = performance.now();
    return new Promise((resolve) => {
      const end = (isAnswer: boolean): void => {
        clearTimeout(limit);
        const tookMs = Math.round(performance.now() - began);
        if (!isAnswer && answers) {
          kept.destroy();
          kept = new https.Agent({ keepAlive: true });
        }
        answers = isAnswer;
        resolve({ tookMs, outcome: isAnswer ? (tookMs > LATE_MS ? "late" : "answered") : "unanswered" });
      };
      const agent = answers ? kept : false;
      const request = https.get(`${server}/livez/ping`, { ...options, agent }, (response) => {
        response.resume();
        response.on("error", () => end(false));
        response.on("end", () => end(response.statusCode === 200));
      });
      const limit = setTimeout(() => request.destroy(new Error("no answer")), NONE_MS);
      request.on("error", () => end(false));
    });
  };
  return { ask, close: () => kept.destroy() };
}
