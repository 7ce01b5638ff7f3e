import type { Hypervisor, PowerState } from "../hypervisors/hypervisor";
import { forStack } from "../model/next-step";
import type { Role } from "../model/roles";
import { storedRoles } from "../model/roles";
import type { StackOutputs } from "../model/stack-outputs";
import type { UnfinishedSnapshot } from "../model/stack-snapshots";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import { askStack } from "./health/ask-stack";
import { isReady } from "./health/cluster-state";
import type { HealthRow } from "./health/findings";
import { areHealthy, healthRows, type StackAnswers } from "./health/health-rows";

export interface MachineStatus {
  readonly name: string;
  /** The primary role. */
  readonly role: string;
  readonly roles: readonly Role[];
  readonly address: string;
  readonly power: PowerState | "absent";
  /** Of a machine that exists. */
  readonly image?: string;
  /** All checks of its role pass. */
  readonly ready: boolean;
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
  /** Its Node object; undefined for machines outside the cluster. */
  readonly kubernetes: { readonly ready: boolean; readonly version: string } | undefined;
}

export interface StackStatus {
  readonly stack: string;
  readonly driver: string;
  readonly api: { readonly endpoint: string; readonly ready: boolean; readonly reason: string };
  /** A snapshot that is being created or restored, or whose command was killed. */
  readonly unfinished?: UnfinishedSnapshot;
  readonly machines: readonly MachineStatus[];
  /** Every row of the table of health checks. */
  readonly checks: readonly HealthRow[];
}

/**
 * Queries the hypervisor, every node and the cluster in parallel. Changes nothing.
 *
 * @param plan what the cluster's objects are compared with, or the reason that there is none
 */
export async function stackStatus(
  stack: string,
  outputs: StackOutputs,
  driver: Hypervisor,
  plan: DataCenterPlan | { readonly reason: string },
): Promise<StackStatus> {
  return statusOf(stack, driver.name, await askStack({ stack, outputs, driver, plan }));
}

/** What the answers mean. */
export function statusOf(stack: string, driver: string, answers: StackAnswers): StackStatus {
  const { unfinished } = answers;
  const checks = healthRows(answers).map((row) => ({ ...row, next: forStack(nextOf(row, unfinished), stack) }));
  const { nodes } = answers.cluster;
  const reason = "reason" in nodes ? nodes.reason : "";
  const api = { endpoint: answers.apiEndpoint, ready: reason === "", reason };
  const machines = machineStatuses(answers, checks);
  return { stack, driver, api, ...(unfinished && { unfinished }), machines, checks };
}

/** A machine that stands still for a snapshot must not be started meanwhile. */
const nextOf = ({ check, next }: HealthRow, unfinished: UnfinishedSnapshot | undefined): string =>
  check === "power" && unfinished && !unfinished.isInterrupted
    ? `wait until \`npx groundplane snapshot\` has ended`
    : next;

function machineStatuses({ inventory, machines, cluster }: StackAnswers, checks: readonly HealthRow[]) {
  const services = checks.find(({ check }) => check === "services")?.findings ?? [];
  const nodes = "value" in cluster.nodes ? cluster.nodes.value : [];
  return inventory.map((entry, index): MachineStatus => {
    const { name, role, address } = entry;
    const found = services.find(({ of }) => of === name);
    const node = nodes.find(({ metadata }) => metadata.name === name);
    return {
      ...{ name, role, roles: storedRoles(entry), address },
      power: machines[index]?.power ?? "absent",
      ...(machines[index]?.image !== undefined && { image: machines[index].image }),
      ready: found?.state === "healthy",
      reason: found?.state === "healthy" ? "" : (found?.observed ?? "no answer"),
      kubernetes: node && { ready: isReady(node), version: node.status.nodeInfo.kubeletVersion },
    };
  });
}

/** True when everything that the data centre promises is healthy. */
export const isHealthy = ({ checks }: StackStatus): boolean => areHealthy(checks);
