import type { Measure, Timeline } from "../model/contract-report";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import type { Laboratory } from "./laboratory";

/**
 * What a fault breaks: the machine with a duty at that time, several machines at once (`stack`), the processors of this host, or each of these machines
 * in turn, of which a caller may choose one.
 */
export type Broken = "holder" | "etcd-leader" | "stack" | "host" | readonly string[];

/** A failure of a data centre, how it is injected, and the targets that apply. */
export interface Fault {
  /** e.g. `balancer-kill` */
  readonly name: string;
  readonly what: string;
  /** Excluded unless `--only` names it. */
  readonly onlyWhenNamed?: true;
  breaks(plan: DataCenterPlan): Broken;
  measures(plan: DataCenterPlan): readonly Measure[];
  /** Why the fault does not apply to a stack; `undefined` = it applies. */
  inapplicable(plan: DataCenterPlan): string | undefined;
  /** Injects the fault and measures. The caller restores machines, links and readiness afterwards. */
  run(laboratory: Laboratory): Promise<readonly Observation[]>;
}

/** One value per measure. A fault that hits several machines in turn returns several observations per round. */
export interface Observation {
  readonly values: Readonly<Record<string, number>>;
  readonly timeline?: Timeline;
}
