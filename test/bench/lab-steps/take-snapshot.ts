import { riskyChange } from "../../support/risky-change";
import { type LabStep, untilPodsReady } from "../lab-under-bench";

const NAME = "before-change";

/** Saves the whole lab, breaks it, and takes it back. */
export const takeSnapshot: LabStep = {
  rows: [
    { name: "snapshot", unit: "s", what: "`groundplane snapshot create` of the whole lab" },
    {
      ...{ name: "rollback", unit: "s", target: 60 },
      what: "`groundplane snapshot restore` of the whole lab after a change that broke a worker, to all nodes Ready",
    },
  ],
  async run({ stack }, round) {
    const change = riskyChange(stack.cluster);
    await change.prepare();
    round.record("snapshot", { value: await stack.groundplane("snapshot", "create", NAME) });
    await change.make();
    // It fails when a node is not Ready.
    round.record("rollback", { value: await stack.groundplane("snapshot", "restore", NAME, "--yes") });
    await change.isTakenBack();
    await change.deleteObject();
    await stack.groundplane("snapshot", "delete", NAME, "--yes");
    await untilPodsReady(stack);
  },
};
