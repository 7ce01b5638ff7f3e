import { administratorIn } from "../../guests/administrator";
import { createNamespace, type WritesReport, writeRepeatedly } from "../../verify/acknowledged-writes";
import { apiClient } from "../../verify/api-client";
import { probeApi } from "../../verify/api-probe";
import { type ProbeResult, probeRepeatedly } from "../../verify/samples";
import { page } from "./host-observations";

export const PROBE_MS = 10;

export interface ServedStack {
  readonly kubeconfig: string;
  /** On 127.0.0.1, where a NodePort of the stack serves a page. */
  readonly pagePort: number;
}

/** What clients saw while something ran. */
export interface ClientsReport {
  readonly startedMs: number;
  readonly seconds: number;
  readonly api: ProbeResult;
  readonly page: ProbeResult;
  readonly writes: WritesReport;
  /** Why it failed. */
  readonly failure?: unknown;
}

/** Runs something while clients read and write the API and read a page of the cluster. They end with it, also when it fails. */
export async function clientsDuring(
  { kubeconfig, pagePort }: ServedStack,
  run: () => Promise<unknown>,
): Promise<ClientsReport> {
  const api = apiClient(kubeconfig);
  await createNamespace(api);
  const asking = probeApi(`${administratorIn(kubeconfig).server}/readyz`, PROBE_MS);
  const visiting = probeRepeatedly(PROBE_MS, async () => ((await page(pagePort)) === "" ? "no page" : undefined));
  const writing = writeRepeatedly(api);
  const startedMs = performance.now();
  const ended = await run().then(
    () => ({}),
    (error: unknown) => ({ failure: error ?? new Error("failed") }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  const [answered, served, writes] = await Promise.all([asking.stop(), visiting.stop(), writing.stop()]);
  return { startedMs, seconds, api: answered, page: served, writes, ...ended };
}
