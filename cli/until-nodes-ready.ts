import { setTimeout as sleep } from "node:timers/promises";
import type { Hypervisor } from "../hypervisors/hypervisor";
import { featuresOf } from "../model/drivers";
import type { StackOutputs } from "../model/stack-outputs";
import type { StackStatus } from "../verify/stack-status";
import { askForStatus } from "./commands/status";
import { readOutputs } from "./lost-state";

const READY_MS = 180_000;
/** Each question asks all machines, which are booting. */
const ASK_EVERY_MS = 3_000;

/**
 * Waits until the API answers, each machine's services run and all Nodes are Ready. Returns what is missing at the end.
 * A stack whose first `up` has not ended has nothing to wait for, and simulated machines have no API.
 */
export async function untilNodesReady(stack: string, hypervisor: Hypervisor): Promise<string | undefined> {
  if (featuresOf(hypervisor.name).simulated) return undefined;
  const outputs: StackOutputs | undefined = await readOutputs(stack).catch(() => undefined);
  if (!outputs) return undefined;
  const deadline = performance.now() + READY_MS;
  for (;;) {
    const missing = notReady(await askForStatus(stack, outputs, hypervisor));
    if (missing === undefined || performance.now() > deadline) return missing;
    await sleep(ASK_EVERY_MS);
  }
}

function notReady({ api, machines }: StackStatus): string | undefined {
  if (!api.ready) return `the API does not answer: ${api.reason.split("\n")[0]}`;
  const waiting = machines.find(({ ready, kubernetes }) => !ready || kubernetes?.ready === false);
  return waiting && `${waiting.name}: ${waiting.reason.split("\n")[0] || "its Node is not Ready"}`;
}
