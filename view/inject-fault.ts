import type { Hypervisor } from "../hypervisors/hypervisor";
import type { StackOutputs } from "../model/stack-outputs";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import { apiClient } from "../verify/api-client";
import { runVerify } from "../verify/run-verify";
import type { FaultParts } from "./fault-runs";

export interface FaultStack {
  readonly plan: DataCenterPlan;
  readonly outputs: StackOutputs;
  readonly hypervisor: Hypervisor;
  readonly say: (text: string) => void;
}

/** As `verify --only FAULT --rounds 1`, over the connections that the page uses. */
export const injectFault =
  (stack: FaultStack): FaultParts["run"] =>
  async ({ fault, machine }, signal, { onBroken, onRestoring }) => {
    const { faults } = await runVerify({
      ...stack,
      api: apiClient(stack.outputs.kubeconfig),
      ...{ faults: [fault], rounds: 1, minutes: 1, keepsConnections: true },
      ...{ signal, onBroken, onRestoring },
      ...(machine !== undefined && { machine }),
    });
    const [report] = faults;
    if (report === undefined) throw new Error(`${fault.name} was not injected`);
    return report;
  };
