import { administratorIn } from "../../guests/administrator";
import { createNamespace, type WritesReport, writeRepeatedly } from "../../verify/acknowledged-writes";
import { apiClient } from "../../verify/api-client";
import { probeApi } from "../../verify/api-probe";
import { startClient } from "../../verify/measuring-client";
import type { ProbeResult } from "../../verify/samples";
import type { ClusterUnderTest } from "./cluster-under-test";
import { appendStep, noticedMoments, type RollStep, SERVICE } from "./noticed-moments";
import { type RolledNode, RolledNodes } from "./rolled-nodes";

export const PROBE_MS = 10;

/** A page that comes later counts as a failed request. A new connection of which one packet was lost is in time, one that lost two is not. */
const PAGE_MS = 3_000;

export interface ServedStack {
  readonly cluster: Pick<ClusterUnderTest, "onLine">;
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
  /** A table of what they noticed, by the step of the `up` in which it was. */
  readonly moments: readonly string[];
  /** The nodes that got another image. */
  readonly rolled: readonly RolledNode[];
  /** Why it failed. */
  readonly failure?: unknown;
}

/** Runs something while clients read and write the API and read a page of the cluster. They end with it, also when it fails. */
export async function clientsDuring(
  { cluster, kubeconfig, pagePort }: ServedStack,
  run: () => Promise<unknown>,
): Promise<ClientsReport> {
  await createNamespace(apiClient(kubeconfig));
  const asking = probeApi(`${administratorIn(kubeconfig).server}/readyz`, PROBE_MS);
  const visiting = startClient({
    ...{ does: "read", intervalMs: PROBE_MS },
    question: { url: `http://127.0.0.1:${pagePort}/`, timeoutMs: PAGE_MS },
  });
  const writing = writeRepeatedly(kubeconfig);
  const clients = [asking, visiting, writing];
  await Promise.all(clients.map(({ begun }) => begun)).catch(async (error) => {
    await Promise.allSettled(clients.map((client) => client.stop()));
    throw error;
  });
  const steps: RollStep[] = [];
  const rolled = new RolledNodes();
  const endSteps = cluster.onLine((line) => {
    appendStep(steps, line);
    rolled.read(line, performance.now());
  });
  const startedMs = performance.now();
  const ended = await run().then(
    () => ({}),
    (error: unknown) => ({ failure: error ?? new Error("failed") }),
  );
  const seconds = (performance.now() - startedMs) / 1000;
  endSteps();
  const [answered, served, writes] = await Promise.all([asking.stop(), visiting.stop(), writing.stop()]);
  const moments = noticedMoments(steps, { API: answered, [SERVICE]: served, writes }, startedMs);
  return { startedMs, seconds, api: answered, page: served, writes, moments, rolled: rolled.nodes, ...ended };
}
