import { setTimeout as sleep } from "node:timers/promises";
import type { StackUnderBench } from "./stack-under-bench";
import { programsCpuSeconds, stackCpuSeconds } from "./stack-usage";

const SETTLE_MS = 20_000;
const IDLE_MS = 30_000;

/** What every cluster runs, as the kernel shortens the names. */
const clusterPrograms: ReadonlySet<string> = new Set([
  "etcd",
  "kube-apiserver",
  "kube-controller",
  "kube-scheduler",
  "kubelet",
  "containerd",
]);

/** Cores that all machines of the stack use together, without any work; `limit`: of which the cluster's own programs. */
export async function measureIdle(
  { driver, name }: StackUnderBench,
  signal: AbortSignal,
): Promise<{ readonly value: number; readonly limit: number }> {
  await sleep(SETTLE_MS, undefined, { signal });
  const used = () => Promise.all([stackCpuSeconds(driver, name), programsCpuSeconds(driver, name, clusterPrograms)]);
  const [before, started] = [await used(), performance.now()];
  await sleep(IDLE_MS, undefined, { signal });
  const seconds = (performance.now() - started) / 1000;
  const after = await used();
  return { value: (after[0] - before[0]) / seconds, limit: (after[1] - before[1]) / seconds };
}
