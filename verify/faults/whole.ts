import { stopOrder } from "../../stacks/plan/stop-order";
import { verifyNamespace } from "../acknowledged-writes";
import type { Fault } from "../fault";
import { lostWrites } from "./balancers";
import { back } from "./masters";

const BACK_MS = 180_000;
const ORDERLY_MS = 60_000;
const IDLE_MS = 65_000;

/** A watch says nothing while nothing happens; whatever cuts silent connections would end it. */
export const idleStream: Fault = {
  name: "idle-stream",
  what: "a watch through the floating IP is silent for 65 s, then has something to say",
  measures: () => [{ name: "cut", what: "streams that were cut, or missed what happened", unit: "times", target: 0 }],
  impossible: () => undefined,
  async run(lab) {
    const name = `after-silence-${Date.now()}`;
    const collection = `/api/v1/namespaces/${verifyNamespace}/configmaps`;
    const stop = new AbortController();
    let heard = false;
    let failure: Error | undefined;
    const watch = lab.api.stream(
      `${collection}?watch=1&resourceVersion=0&fieldSelector=metadata.name%3D${name}`,
      (line) => {
        heard ||= line.includes(name);
      },
      stop.signal,
    );
    const watching = watch.catch((error: Error) => {
      failure = error;
    });
    try {
      await lab.pause(IDLE_MS);
      await lab.api.ask("POST", collection, { apiVersion: "v1", kind: "ConfigMap", metadata: { name } }, 5_000);
      await lab.pause(1_000);
    } finally {
      stop.abort();
      await watching;
    }
    return [{ values: { cut: heard && failure === undefined ? 0 : 1 } }];
  },
};

export const allStopped: Fault = {
  name: "all-stopped",
  what: "every machine is shut down in order, and started again",
  measures: () => [back("from the start until the API answers", 120_000), lostWrites],
  impossible: () => undefined,
  async run(lab) {
    const { plan, hypervisor } = lab;
    let returned = 0;
    const present = new Set(plan.nodes.map(({ name }) => name));
    const observed = await lab.watch(
      "all machines",
      async () => {
        for (const names of stopOrder(plan, present)) {
          await Promise.all(names.map((name) => hypervisor.stopMachine({ stack: plan.stack, name }, ORDERLY_MS)));
        }
        await lab.start(...present);
        returned = await lab.until("the API answers again", BACK_MS, () => lab.apiAnswers());
      },
      5_000,
    );
    return [{ values: { back: returned, "lost-writes": observed.lostWrites } }];
  },
};
