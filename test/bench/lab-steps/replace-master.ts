import { setTimeout as sleep } from "node:timers/promises";
import { nodesOf } from "../../../stacks/plan/data-center-plan";
import { probeApi } from "../../../verify/api-probe";
import type { Watched } from "../../../verify/samples";
import type { Round } from "../bench";
import { apiUrl, type LabStep, type LabUnderBench, up } from "../lab-under-bench";

const PROBE_MS = 20;
/** Probes before a fault, as there is no gap without a good one on either side. */
const BEFORE_MS = 2_000;
const AFTER_MS = 8_000;

/** A master is lost with its data and made anew by `up`; the API is asked all the while. */
export const replaceMaster: LabStep = {
  rows: [
    { name: "replace-master", unit: "s", what: "a master lost with its data is made anew" },
    { name: "replace-master-gap", unit: "ms", what: "longest gap of the API meanwhile" },
  ],
  async run(lab, round) {
    const { driver, name: stack } = lab.stack;
    const lost = { stack, name: masterOf(lab, round) };
    const state = await driver.inspectMachine(lost);
    if (state === undefined) throw new Error(`${lost.name} is not there`);
    let value = 0;
    const seen = await whileProbing(lab, async () => {
      await driver.removeMachine(lost, state.owner);
      value = await up(lab.stack);
    });
    round.record("replace-master", { value });
    round.record("replace-master-gap", { value: seen.longestGapMs });
  },
};

async function whileProbing({ plan }: LabUnderBench, fault: () => Promise<void>): Promise<Watched> {
  const probe = probeApi(apiUrl(plan), PROBE_MS);
  try {
    await sleep(BEFORE_MS);
    await fault();
    await sleep(AFTER_MS);
  } catch (error) {
    await probe.stop();
    throw error;
  }
  const seen = await probe.stop();
  if (seen.asked - seen.failed < 100) throw new Error(`the API hardly answered: ${JSON.stringify(seen)}`);
  return seen;
}

/** A different one in each round: masters are equal, but leaders are not. */
function masterOf({ plan }: LabUnderBench, { number }: Round): string {
  const masters = nodesOf(plan, "master");
  return masters[number % masters.length]?.name ?? "";
}
