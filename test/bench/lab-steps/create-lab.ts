import { firstResponse } from "../../../verify/api-probe";
import { apiUrl, type LabStep, up } from "../lab-under-bench";
import { cores } from "../stack-under-bench";
import { stackCpuSeconds } from "../stack-usage";

/**
 * From nothing to every node and pod Ready, which `up` waits for, and the first response of the API through the floating IP
 * on the way. The limit is the time that the machines' work takes when it keeps all cores busy.
 */
export const createLab: LabStep = {
  rows: [
    {
      name: "lab-up",
      unit: "s",
      what: "`up` of `lab` from nothing to all nodes and pods Ready; limit: the machines' CPU time on all cores",
    },
    { name: "lab-api", unit: "s", what: "until its API responds through the floating IP" },
  ],
  async run({ stack, plan }, round) {
    const failed = new AbortController();
    const answer = firstResponse(apiUrl(plan), failed.signal);
    const value = await up(stack).finally(() => failed.abort());
    round.record("lab-up", { value, limit: (await stackCpuSeconds(stack.driver, stack.name)) / cores });
    const milliseconds = await answer;
    if (milliseconds === undefined) throw new Error(`${apiUrl(plan)} did not respond during up`);
    round.record("lab-api", { value: milliseconds / 1000 });
  },
};
