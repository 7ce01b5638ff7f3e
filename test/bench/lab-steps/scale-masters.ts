import { probeApi } from "../../../verify/api-probe";
import { apiUrl, type LabStep, labSettings, up } from "../lab-under-bench";

const PROBE_MS = 20;
const fastProbes = false;

/** Masters become five and three again, in one `up` each; the API is asked all the while. */
export const scaleMasters: LabStep = {
  rows: [
    { name: "grow-masters", unit: "s", what: "three masters become five" },
    { name: "grow-masters-gap", unit: "ms", what: "longest gap of the API meanwhile" },
    { name: "shrink-masters", unit: "s", what: "five masters become three" },
    { name: "shrink-masters-gap", unit: "ms", what: "longest gap of the API meanwhile" },
  ],
  async run({ stack, plan }, round) {
    for (const [name, masters] of [
      ["grow-masters", 5],
      ["shrink-masters", 3],
    ] as const) {
      stack.configure(labSettings(2, { fastProbes }, masters));
      const probe = probeApi(apiUrl(plan), PROBE_MS);
      const value = await up(stack).catch(async (error: unknown) => {
        await probe.stop();
        throw error;
      });
      round.record(name, { value });
      round.record(`${name}-gap`, { value: (await probe.stop()).longestGapMs });
    }
  },
};
