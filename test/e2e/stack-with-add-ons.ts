import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { HealthRow } from "../../verify/health/findings";
import { stackCpuSeconds, stackMemoryMiB } from "../bench/stack-usage";
import { eventually, mustSucceed, patienceMs } from "../support/cluster-under-test";
import { kubectl } from "./lab-under-test";
import type { SmallStack } from "./small-stack";

const IDLE_SECONDS = 20;

/** What tests of add-ons ask a running stack. */
export function askStack({ cluster, driver }: SmallStack, nodes: readonly string[]) {
  const on = async (node: string, command: string): Promise<string> =>
    mustSucceed(command, await cluster.onNode(node, command)).stdout.trim();
  const rowOf = async (check: string): Promise<HealthRow> => {
    const { stdout } = await cluster.groundplane("status", "--json");
    const { checks } = JSON.parse(stdout) as { readonly checks: readonly HealthRow[] };
    return checks.find((row) => row.check === check) ?? assert.fail(`no row ${check}`);
  };
  return {
    on,
    rowOf,
    ask: (command: string) => on("master-1", `${kubectl} ${command}`),
    start: async (): Promise<void> => void mustSucceed("start", await cluster.groundplane("start", "--yes")),
    /** They change when a node is recreated. */
    generations: () =>
      Promise.all(nodes.map(async (name) => (await driver.inspectMachine({ stack: cluster.stack, name }))?.generation)),
    /** On a busy host, a single answer may come too late to be a verdict. */
    rowBecomes: (check: string, state: HealthRow["state"], summary = /^/) =>
      eventually(
        `the row ${check}`,
        patienceMs,
        () => rowOf(check),
        (row) => row.state === state && summary.test(row.summary),
      ),
    idle: async () => {
      const before = await stackCpuSeconds(driver, cluster.stack);
      await sleep(IDLE_SECONDS * 1_000);
      const cores = ((await stackCpuSeconds(driver, cluster.stack)) - before) / IDLE_SECONDS;
      return { cores, memoryMiB: await stackMemoryMiB(driver, cluster.stack) };
    },
  };
}
