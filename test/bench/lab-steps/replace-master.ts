import { setTimeout as sleep } from "node:timers/promises";
import { nodesOf } from "../../../stacks/plan/data-center-plan";
import { probeApi } from "../../../verify/api-probe";
import type { ProbeResult } from "../../../verify/samples";
import type { Round } from "../bench";
import { apiUrl, type LabStep, type LabUnderBench, up } from "../lab-under-bench";

const PROBE_MS = 20;
/** A gap needs a successful probe on either side. */
const BEFORE_MS = 2_000;
const AFTER_MS = 8_000;

/** Removes a master with its data and has `up` recreate it, while a client probes the API. */
export const replaceMaster: LabStep = {
  rows: [
    { name: "replace-master", unit: "s", what: "recreation of a master that is lost with its data" },
    { name: "replace-master-gap", unit: "ms", what: "longest API gap meanwhile" },
  ],
  async run(lab, round) {
    const { driver, name: stack } = lab.stack;
    const lost = { stack, name: masterOf(lab, round) };
    const state = await driver.inspectMachine(lost);
    if (state === undefined) throw new Error(`${lost.name} does not exist`);
    let value = 0;
    const seen = await whileProbing(lab, async () => {
      await driver.removeMachine(lost, state.owner);
      value = await up(lab.stack);
    });
    round.record("replace-master", { value });
    round.record("replace-master-gap", { value: seen.longestGapMs });
  },
};

async function whileProbing({ plan }: LabUnderBench, fault: () => Promise<void>): Promise<ProbeResult> {
  const probe = probeApi(apiUrl(plan), PROBE_MS);
  try {
    await probe.begun;
    await sleep(BEFORE_MS);
    await fault();
    await sleep(AFTER_MS);
  } catch (error) {
    await probe.stop();
    throw error;
  }
  const seen = await probe.stop();
  if (seen.sent - seen.failed < 100) throw new Error(`the API hardly responded: ${JSON.stringify(seen)}`);
  return seen;
}

/** A different master in each round, because the leader behaves differently. */
function masterOf({ plan }: LabUnderBench, { number }: Round): string {
  const masters = nodesOf(plan, "master");
  return masters[number % masters.length]?.name ?? "";
}
