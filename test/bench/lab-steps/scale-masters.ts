import { probeApi } from "../../../verify/api-probe";
import { apiUrl, type LabStep, labVariants, up } from "../lab-under-bench";

const PROBE_MS = 20;

/** Scales to five masters and back to three, in one `up` each, while a client probes the API. */
export const scaleMasters: LabStep = {
  rows: [
    { name: "grow-masters", unit: "s", what: "three masters become five" },
    { name: "grow-masters-gap", unit: "ms", what: "longest API gap meanwhile" },
    { name: "shrink-masters", unit: "s", what: "five masters become three" },
    { name: "shrink-masters-gap", unit: "ms", what: "longest API gap meanwhile" },
  ],
  async run({ stack, plan }, round) {
    for (const [name, variant] of [
      ["grow-masters", labVariants.moreMasters],
      ["shrink-masters", labVariants.standard],
    ] as const) {
      stack.configure(variant);
      const probe = probeApi(apiUrl(plan), PROBE_MS);
      await probe.begun;
      const value = await up(stack).catch(async (error: unknown) => {
        await probe.stop();
        throw error;
      });
      round.record(name, { value });
      round.record(`${name}-gap`, { value: (await probe.stop()).longestGapMs });
    }
  },
};
