import type { Hypervisor } from "../hypervisors/hypervisor";
import type { StackOutputs } from "../model/stack-outputs";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import type { ApiClient } from "./api-client";

/** What a laboratory is made of. */
export interface LaboratoryParts {
  readonly plan: DataCenterPlan;
  readonly outputs: StackOutputs;
  readonly hypervisor: Hypervisor;
  readonly api: ApiClient;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Waits, within limits, until the host has spare CPU time. */
  readonly untilIdle: (signal: AbortSignal) => Promise<void>;
  /** 1-based. */
  readonly round: number;
  /** Duration of a fault that does not end by itself. */
  readonly minutes: number;
  /** The only machine to break, of a fault that breaks several in turn. */
  readonly machine?: string;
  /** Called at the moment in which the fault begins, once for each machine or group of machines that it breaks. */
  readonly onBroken?: (of: string) => void;
  /** The caller uses the connections to machines as well: they stay open. */
  readonly keepsConnections?: true;
}
