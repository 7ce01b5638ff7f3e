/** The thread of `probeApi`: probes until it receives a message, then sends its samples with times in ms since 1970. */
import { parentPort, workerData } from "node:worker_threads";
import type { ProbeOrder } from "./api-probe";
import { probeOnce } from "./probe-once";
import { probeRepeatedly } from "./samples";

const { url, intervalMs, timeoutMs, ca } = workerData as ProbeOrder;
const probing = probeRepeatedly(intervalMs, () => probeOnce(url, timeoutMs, ca));

parentPort?.once("message", async () => {
  const { samples } = await probing.stop();
  const sinceEpoch = samples.map(({ startedMs, error }) => ({ startedMs: startedMs + performance.timeOrigin, error }));
  parentPort?.postMessage(sinceEpoch);
});
