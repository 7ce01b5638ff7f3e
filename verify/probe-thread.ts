/** The thread of `probeApi`: asks until it is told to stop, then gives what it saw, with times in ms since 1970. */
import { parentPort, workerData } from "node:worker_threads";
import type { ProbeOrder } from "./api-probe";
import { askApi } from "./ask-api";
import { askRepeatedly } from "./samples";

const { url, intervalMs, timeoutMs } = workerData as ProbeOrder;
const asking = askRepeatedly(intervalMs, () => askApi(url, timeoutMs));

parentPort?.once("message", async () => {
  const { samples } = await asking.stop();
  const sinceEpoch = samples.map(({ startedMs, error }) => ({ startedMs: startedMs + performance.timeOrigin, error }));
  parentPort?.postMessage(sinceEpoch);
});
