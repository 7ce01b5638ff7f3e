import { nodesOf } from "../../../stacks/plan/data-center-plan";
import { loseMachines } from "../../support/lose-machines";
import { takeBackup } from "../../support/take-backup";
import { type LabStep, untilPodsReady } from "../lab-under-bench";

/** All masters are lost with their disks, and come back from a backup. */
export const restoreBackup: LabStep = {
  rows: [
    {
      ...{ name: "restore", unit: "s", target: 180 },
      what: "`groundplane restore` of a lab that has lost all masters with their disks, to all nodes Ready",
    },
  ],
  async run({ stack, plan }, round) {
    const restore = await takeBackup(stack.cluster);
    const masters = nodesOf(plan, "master").map(({ name }) => name);
    await loseMachines(stack.driver, stack.name, masters);
    round.record("restore", { value: await stack.groundplane(...restore) });
    await untilPodsReady(stack);
  },
};
