import { setTimeout as sleep } from "node:timers/promises";
import { type LabStep, labSettings, up } from "../lab-under-bench";
import { stackCpuSeconds, stackMemoryMiB } from "../stack-usage";

const SETTLE_MS = 20_000;
const IDLE_MS = 30_000;

/** The limit is the engine alone, with a program that declares nothing. */
export const withoutChange: LabStep = {
  rows: [
    { name: "noop-up", unit: "s", what: "`up` without a change; limit: the engine with an empty program" },
    { name: "preview", unit: "s", what: "`preview` without a change; limit: likewise" },
  ],
  async run({ stack, engine }, round) {
    round.record("noop-up", { value: await up(stack), limit: await engine.up() });
    const preview = await stack.pulumi("preview", "--expect-no-changes");
    round.record("preview", { value: preview, limit: await engine.preview() });
  },
};

/** All machines together, left alone. */
export const idle: LabStep = {
  rows: [
    { name: "idle-cpu", unit: "cores", what: "the whole lab, left alone" },
    { name: "idle-memory", unit: "MiB", what: "the same: memory of its processes" },
  ],
  async run({ stack: { driver, name } }, round) {
    await sleep(SETTLE_MS, undefined, { signal: round.signal });
    const [before, started] = [await stackCpuSeconds(driver, name), performance.now()];
    await sleep(IDLE_MS, undefined, { signal: round.signal });
    const seconds = (performance.now() - started) / 1000;
    round.record("idle-cpu", { value: ((await stackCpuSeconds(driver, name)) - before) / seconds });
    round.record("idle-memory", { value: await stackMemoryMiB(driver, name) });
  },
};

/** One more worker, until it is Ready. */
export const addWorker: LabStep = {
  rows: [{ name: "add-worker", unit: "s", what: "one more worker, until it is Ready" }],
  async run({ stack }, round) {
    stack.configure(labSettings(3, { fastProbes: false }));
    round.record("add-worker", { value: await up(stack) });
    stack.configure(labSettings(2, { fastProbes: false }));
    await up(stack);
  },
};
