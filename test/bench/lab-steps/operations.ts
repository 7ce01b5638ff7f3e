import { type LabStep, labVariants, untilPodsReady, up } from "../lab-under-bench";
import { measureIdle } from "../measure-idle";
import { stackMemoryMiB } from "../stack-usage";

/** The limit is the engine alone, with an empty program. */
export const withoutChange: LabStep = {
  rows: [
    { name: "noop-up", unit: "s", what: "`up` without changes; limit: the engine with an empty program" },
    { name: "preview", unit: "s", what: "`preview` without changes; limit: the same" },
  ],
  async run({ stack, engine }, round) {
    round.record("noop-up", { value: await up(stack), limit: await engine.up() });
    const preview = await stack.pulumi("preview", "--expect-no-changes");
    round.record("preview", { value: preview, limit: await engine.preview() });
  },
};

/** All machines together, without any work. */
export const idle: LabStep = {
  rows: [
    { name: "idle-cpu", unit: "cores", what: "CPU use of the whole idle lab" },
    { name: "idle-memory", unit: "MiB", what: "memory of its processes" },
  ],
  async run({ stack }, round) {
    const { value } = await measureIdle(stack, round.signal);
    round.record("idle-cpu", { value });
    round.record("idle-memory", { value: await stackMemoryMiB(stack.driver, stack.name) });
  },
};

/** One more worker, until it is Ready. */
export const addWorker: LabStep = {
  rows: [{ name: "add-worker", unit: "s", what: "one more worker, until it is Ready" }],
  async run({ stack }, round) {
    stack.configure(labVariants.moreWorkers);
    round.record("add-worker", { value: await up(stack) });
    stack.configure(labVariants.standard);
    await up(stack);
  },
};

/** An orderly shutdown of every machine. `up` starts them again, and its pods become Ready before the next step. */
export const stop: LabStep = {
  rows: [{ name: "stop", unit: "s", what: "`groundplane stop` of the whole lab" }],
  async run({ stack }, round) {
    round.record("stop", { value: await stack.groundplane("stop") });
    await up(stack);
    await untilPodsReady(stack);
  },
};
