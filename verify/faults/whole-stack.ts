import { stopOrder } from "../../stacks/plan/stop-order";
import { verifyNamespace } from "../acknowledged-writes";
import type { Fault } from "../fault";
import { lostWrites } from "./balancers";
import { recovery } from "./masters";

const RECOVERY_MS = 180_000;
const ORDERLY_MS = 60_000;
const IDLE_MS = 65_000;

/** A watch without events must survive every idle timeout on its path. */
export const idleStream: Fault = {
  name: "idle-stream",
  what: "a watch through the floating IP is idle for 65 s, then receives an event",
  breaks: () => "stack",
  measures: () => [{ name: "cut", what: "streams that ended or missed the event", unit: "times", target: 0 }],
  inapplicable: () => undefined,
  async run(lab) {
    const name = `after-idle-${Date.now()}`;
    const collection = `/api/v1/namespaces/${verifyNamespace}/configmaps`;
    const stop = new AbortController();
    let received = false;
    let failure: Error | undefined;
    const watch = lab.api.stream(
      `${collection}?watch=1&resourceVersion=0&fieldSelector=metadata.name%3D${name}`,
      (line) => {
        received ||= line.includes(name);
      },
      stop.signal,
    );
    const watching = watch.catch((error: Error) => {
      failure = error;
    });
    try {
      await lab.pause(IDLE_MS);
      await lab.api.request("POST", collection, { apiVersion: "v1", kind: "ConfigMap", metadata: { name } }, 5_000);
      await lab.pause(1_000);
    } finally {
      stop.abort();
      await watching;
    }
    return [{ values: { cut: received && failure === undefined ? 0 : 1 } }];
  },
};

export const allStopped: Fault = {
  name: "all-stopped",
  what: "every machine is shut down in order, then started",
  breaks: () => "stack",
  measures: () => [recovery("from the start of the machines until the API responds", 120_000), lostWrites],
  inapplicable: () => undefined,
  async run(lab) {
    const { plan, hypervisor } = lab;
    let recovered = 0;
    const present = new Set(plan.nodes.map(({ name }) => name));
    const observed = await lab.observe(
      "all machines",
      async () => {
        for (const names of stopOrder(plan, present)) {
          await Promise.all(names.map((name) => hypervisor.stopMachine({ stack: plan.stack, name }, ORDERLY_MS)));
        }
        await lab.start(...present);
        recovered = await lab.until("the API responds", RECOVERY_MS, () => lab.apiResponds());
      },
      5_000,
    );
    return [{ values: { recovery: recovered, "lost-writes": observed.lostWrites } }];
  },
};
