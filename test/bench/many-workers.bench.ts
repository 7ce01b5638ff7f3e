import type { Bench, Round, StackSettings } from "./bench";
import { up } from "./lab-under-bench";
import { openStack, type StackUnderBench } from "./stack-under-bench";

const WORKERS = 100;
/** Figures of this part of the workers are the limits: twice as many of everything should take twice as much. */
const HALF = WORKERS / 2;

const settingsOf = (workers: number): StackSettings => ({
  driver: "fake",
  pools: {
    balancers: { count: 2 },
    masters: { count: 3 },
    workers: { count: workers },
    storage: { count: 3, disks: [{ name: "brick", sizeGiB: 1 }] },
  },
  options: { keepDataDisks: false },
});

/** What grows with the number of nodes: machines are simulated, so that only the program, the provider and the engine work. */
export const manyWorkers: Bench = {
  rows: [
    { name: "workers-100-up", unit: "s", what: "`up` of 100 simulated workers from nothing; limit: twice that of 50" },
    { name: "workers-100-noop", unit: "s", what: "`up` of the same stack without changes; limit: twice that of 50" },
    { name: "workers-100-state", unit: "MiB", what: "size of its state; limit: twice that of 50" },
  ],
  configurations: [HALF, WORKERS].map(settingsOf),
  // Pulumi writes the whole state after each of a thousand steps.
  onlyWhenNamed: true,
  async measure(round) {
    const stack = await openStack();
    try {
      const half = await measureStack(stack, HALF, round);
      const all = await measureStack(stack, WORKERS, round);
      round.record("workers-100-up", { value: all.up, limit: 2 * half.up });
      round.record("workers-100-noop", { value: all.noop, limit: 2 * half.noop });
      round.record("workers-100-state", { value: all.stateMiB, limit: 2 * half.stateMiB });
    } finally {
      await stack.close();
    }
  },
};

async function measureStack(stack: StackUnderBench, workers: number, { signal }: Round) {
  signal.throwIfAborted();
  stack.configure(settingsOf(workers));
  const created = await up(stack);
  signal.throwIfAborted();
  const figures = { up: created, noop: await up(stack), stateMiB: stack.stateBytes() / 2 ** 20 };
  await stack.destroy();
  return figures;
}
