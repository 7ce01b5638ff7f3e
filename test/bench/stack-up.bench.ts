import { exampleSettings } from "../support/example-stacks";
import type { Bench, BenchRow, Round, StackSettings } from "./bench";
import { cores, openStack, type StackUnderBench, stackUnavailable } from "./stack-under-bench";
import { stackCpuSeconds } from "./stack-usage";

interface StackUp {
  readonly row: BenchRow;
  readonly settings: StackSettings;
}

const example = (name: string): StackUp => ({
  row: {
    name: `${name}-up`,
    unit: "s",
    what: `\`up\` of \`${name}\` from nothing to all pods Ready; limit: the machines' CPU time on all cores`,
  },
  settings: { ...exampleSettings(name), driver: "nspawn" },
});

const small = example("small");

const stacks: readonly StackUp[] = [
  small,
  {
    row: { name: "small-up-fast", unit: "s", what: "`small-up` with `fastProbes`" },
    settings: { ...small.settings, options: { fastProbes: true } },
  },
  example("production"),
  example("pair"),
];

let stack: StackUnderBench | undefined;

/** Stacks of other topologies than `lab`, from nothing to every pod Ready. */
export const stackUp: Bench = {
  rows: stacks.map(({ row }) => row),
  configurations: stacks.map(({ settings }) => settings),
  unavailable: stackUnavailable,
  async measure(round) {
    stack ??= await openStack();
    for (const each of stacks) if (round.wants(each.row.name)) await upAndDown(stack, round, each);
  },
  async close() {
    await stack?.close();
    stack = undefined;
  },
};

async function upAndDown(stack: StackUnderBench, round: Round, { row, settings }: StackUp): Promise<void> {
  stack.configure(settings);
  const value = await stack.pulumi("up", "--yes", "--skip-preview");
  round.record(row.name, { value, limit: (await stackCpuSeconds(stack.driver, stack.name)) / cores });
  round.signal.throwIfAborted();
  await stack.destroy();
}
