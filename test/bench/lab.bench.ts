import { removeBare } from "./bare-driver";
import type { Bench, Round } from "./bench";
import { type EngineAlone, openEngineAlone } from "./engine-alone";
import { contract } from "./lab-steps/contract";
import { createLab } from "./lab-steps/create-lab";
import { addWorker, idle, stop, withoutChange } from "./lab-steps/operations";
import { replaceMaster } from "./lab-steps/replace-master";
import { restoreBackup } from "./lab-steps/restore-backup";
import { scaleMasters } from "./lab-steps/scale-masters";
import { takeSnapshot } from "./lab-steps/take-snapshot";
import { type LabStep, labVariants, up } from "./lab-under-bench";
import { cores, openStack, type StackUnderBench, stackUnavailable } from "./stack-under-bench";
import { stackCpuSeconds } from "./stack-usage";

const onLivingLab: readonly LabStep[] = [
  ...[withoutChange, idle, addWorker, contract, replaceMaster, scaleMasters],
  ...[takeSnapshot, restoreBackup, stop],
];

let stack: StackUnderBench | undefined;
let engine: EngineAlone | undefined;

/** Each round creates the example `lab` twice: once for all operations on a running lab, once with the fast probes. */
export const lab: Bench = {
  rows: [
    ...createLab.rows,
    { name: "lab-up-fast", unit: "s", what: "`lab-up` with `fastProbes`" },
    ...onLivingLab.flatMap(({ rows }) => rows),
    { name: "destroy", unit: "s", what: "the whole lab; limit: the driver alone" },
  ],
  configurations: Object.values(labVariants),
  unavailable: stackUnavailable,
  async measure(round) {
    stack ??= await openStack();
    engine ??= await openEngineAlone();
    const isFastWanted = round.wants("lab-up-fast");
    const isLifeWanted = lab.rows.some(({ name }) => name !== "lab-up-fast" && round.wants(name));
    const value = isLifeWanted ? await fullLife({ stack, engine }, round) : undefined;
    const limit = isFastWanted ? await fastLife(stack, round) : undefined;
    if (value !== undefined) round.record("destroy", limit === undefined ? { value } : { value, limit });
  },
  async close() {
    engine?.remove();
    await stack?.close();
    stack = engine = undefined;
  },
};

interface Open {
  readonly stack: StackUnderBench;
  readonly engine: EngineAlone;
}

/** Returns the seconds that `destroy` takes. */
async function fullLife({ stack, engine }: Open, round: Round): Promise<number> {
  const plan = stack.configure(labVariants.standard);
  for (const step of [createLab, ...onLivingLab]) {
    round.signal.throwIfAborted();
    if (step === createLab || step.rows.some(({ name }) => round.wants(name)))
      await step.run({ stack, plan, engine }, round);
  }
  return stack.destroy();
}

/** Returns the seconds that the driver alone needs to remove the stack. */
async function fastLife(stack: StackUnderBench, round: Round): Promise<number> {
  round.signal.throwIfAborted();
  const plan = stack.configure(labVariants.fastProbes);
  const value = await up(stack);
  round.record("lab-up-fast", { value, limit: (await stackCpuSeconds(stack.driver, stack.name)) / cores });
  const seconds = await removeBare(stack.driver, plan);
  await stack.destroy();
  return seconds;
}
