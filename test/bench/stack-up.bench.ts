import { exampleSettings } from "../support/example-stacks";
import type { Bench, BenchRow, Round, StackSettings } from "./bench";
import { measureIdle } from "./measure-idle";
import { cores, openStack, type StackUnderBench, stackUnavailable } from "./stack-under-bench";
import { stackCpuSeconds, stackMemoryMiB } from "./stack-usage";

interface StackUp {
  readonly row: BenchRow;
  readonly settings: StackSettings;
  /** What it needs without any work, where that is measured. */
  readonly idle?: Readonly<Record<"cpu" | "memory", BenchRow>>;
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
  {
    ...example("single"),
    idle: {
      cpu: {
        name: "single-idle-cpu",
        unit: "cores",
        what: "CPU use of the idle `single`; limit: its etcd, control plane, kubelet and containerd alone",
      },
      memory: { name: "single-idle-memory", unit: "MiB", what: "memory of its processes" },
    },
  },
];

const rowsOf = ({ row, idle }: StackUp): readonly BenchRow[] => [row, ...(idle ? [idle.cpu, idle.memory] : [])];

let stack: StackUnderBench | undefined;

/** Stacks of other topologies than `lab`, from nothing to every pod Ready. */
export const stackUp: Bench = {
  rows: stacks.flatMap(rowsOf),
  configurations: stacks.map(({ settings }) => settings),
  unavailable: stackUnavailable,
  async measure(round) {
    stack ??= await openStack();
    for (const each of stacks) {
      if (rowsOf(each).some(({ name }) => round.wants(name))) await upAndDown(stack, round, each);
    }
  },
  async close() {
    await stack?.close();
    stack = undefined;
  },
};

async function upAndDown(stack: StackUnderBench, round: Round, { row, settings, idle }: StackUp): Promise<void> {
  stack.configure(settings);
  const value = await stack.pulumi("up", "--yes", "--skip-preview");
  round.record(row.name, { value, limit: (await stackCpuSeconds(stack.driver, stack.name)) / cores });
  if (idle && [idle.cpu, idle.memory].some(({ name }) => round.wants(name))) {
    round.record(idle.cpu.name, await measureIdle(stack, round.signal));
    round.record(idle.memory.name, { value: await stackMemoryMiB(stack.driver, stack.name) });
  }
  round.signal.throwIfAborted();
  await stack.destroy();
}
