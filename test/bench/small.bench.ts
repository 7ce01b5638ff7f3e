import type { Bench, Round, StackSettings } from "./bench";
import { cores, openStack, type StackUnderBench, stackUnavailable } from "./stack-under-bench";
import { stackCpuSeconds } from "./stack-usage";

const rows = [
  {
    row: {
      name: "small-up",
      unit: "s",
      what: "`up` of `small` from nothing to all pods Ready; limit: the machines' CPU time on all cores",
    },
    fastProbes: false,
  },
  { row: { name: "small-up-fast", unit: "s", what: "`small-up` with `fastProbes`" }, fastProbes: true },
] as const;

const settingsOf = (fastProbes: boolean): StackSettings => ({
  driver: "nspawn",
  pools: { balancers: { count: 1 }, masters: { count: 1 }, workers: { count: 1 } },
  options: { fastProbes },
});

let stack: StackUnderBench | undefined;

/** From nothing to every pod Ready, with kubeadm's stock probes and with the fast ones. */
export const small: Bench = {
  rows: rows.map(({ row }) => row),
  configurations: rows.map(({ fastProbes }) => settingsOf(fastProbes)),
  unavailable: stackUnavailable,
  async measure(round) {
    stack ??= await openStack();
    for (const { row, fastProbes } of rows)
      if (round.wants(row.name)) await upAndDown(stack, round, row.name, fastProbes);
  },
  async close() {
    await stack?.close();
    stack = undefined;
  },
};

async function upAndDown(stack: StackUnderBench, round: Round, row: string, fastProbes: boolean): Promise<void> {
  stack.configure(settingsOf(fastProbes));
  const value = await stack.pulumi("up", "--yes", "--skip-preview");
  round.record(row, { value, limit: (await stackCpuSeconds(stack.driver, stack.name)) / cores });
  round.signal.throwIfAborted();
  await stack.destroy();
}
