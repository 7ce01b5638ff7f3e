import type { StackOutputs } from "../model/stack-outputs";
import { removeNamespace } from "./acknowledged-writes";
import { removeRecordings } from "./guest-recordings";
import { askOverOpenConnections, askStack } from "./health/ask-stack";
import { areHealthy } from "./health/health-rows";
import type { Laboratory } from "./laboratory";
import { statusOf } from "./stack-status";

const RECOVERY_MS = 240_000;
const INTERVAL_MS = 1_000;
/** A busy host may delay a token of Corosync or a check at any moment. */
const SETTLE_MS = 30_000;

/** The problems of a running stack, one line for each row of its health that is not healthy; empty = healthy. Changes nothing. */
async function findProblems(lab: Laboratory, outputs: StackOutputs): Promise<readonly string[]> {
  const { plan, hypervisor: driver } = lab;
  const ask = lab.keepsConnections ? askOverOpenConnections : askStack;
  const { checks } = statusOf(plan.stack, driver.name, await ask({ stack: plan.stack, outputs, driver, plan }));
  return checks
    .filter((row) => !areHealthy([row]))
    .map(({ check, state, summary }) => `${check} is ${state}: ${summary}`);
}

/** The problems that remain when the stack had some time to settle. Changes nothing. */
export async function lastingProblems(lab: Laboratory, outputs: StackOutputs, waitMs = SETTLE_MS) {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const problems = await findProblems(lab, outputs).catch((error: Error) => [error.message]);
    if (problems.length === 0 || performance.now() > deadline) return problems;
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}

/**
 * Connects all links, starts all machines, and waits until the stack is healthy.
 *
 * @throws Error with the remaining problems
 */
export async function recoverStack(lab: Laboratory, outputs: StackOutputs): Promise<void> {
  const { stack, nodes } = lab.plan;
  for (const { name } of nodes) {
    const power = (await lab.hypervisor.inspectMachine({ stack, name }))?.power;
    if (power === "stopped") await lab.start(name);
    else if (power === "running") await lab.hypervisor.links?.setLink({ stack, name }, true);
  }
  const problems = await lastingProblems(lab, outputs, RECOVERY_MS);
  if (problems.length > 0) throw new Error(`${stack} is still unhealthy: ${problems.join("; ")}`);
}

/** Removes what the measurement created in the cluster and on its nodes. */
export async function removeTraces(lab: Laboratory): Promise<void> {
  await Promise.all(lab.plan.nodes.map(({ name }) => lab.must(name, removeRecordings)));
  await removeNamespace(lab.api);
}
