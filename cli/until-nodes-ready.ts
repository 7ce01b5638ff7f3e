import { setTimeout as sleep } from "node:timers/promises";
import type { Hypervisor } from "../hypervisors/hypervisor";
import { featuresOf } from "../model/drivers";
import type { StackOutputs } from "../model/stack-outputs";
import { startingStack } from "../verify/starting-stack";

const READY_MS = 180_000;
const ASK_EVERY_MS = 1_000;

/**
 * Waits until the API answers, each machine's services run and all Nodes are Ready. Returns what is missing at the end.
 * Simulated machines have no API.
 *
 * @param outputs those of the stack; absent while its first `up` has not ended: then there is nothing to wait for
 */
export async function untilNodesReady(
  outputs: StackOutputs | undefined,
  hypervisor: Hypervisor,
): Promise<string | undefined> {
  if (!outputs || featuresOf(hypervisor.name).simulated) return undefined;
  const deadline = performance.now() + READY_MS;
  const missing = startingStack(outputs);
  for (;;) {
    const reason = await missing();
    if (reason === undefined || performance.now() > deadline) return reason;
    await sleep(ASK_EVERY_MS);
  }
}
