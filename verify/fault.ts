import type { Measure, Timeline } from "../model/contract-report";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import type { Laboratory } from "./laboratory";

/** Something that may happen to a data centre, how it is made to happen, and what is promised about it. */
export interface Fault {
  /** e.g. `balancer-kill` */
  readonly name: string;
  readonly what: string;
  /** Not among those that are made when nobody says which. */
  readonly onlyWhenNamed?: true;
  measures(plan: DataCenterPlan): readonly Measure[];
  /** Why a stack cannot have this fault; `undefined` = it can. */
  impossible(plan: DataCenterPlan): string | undefined;
  /** Breaks, measures and need not mend: machines, cables and readiness are restored after each fault. */
  run(laboratory: Laboratory): Promise<readonly Observation[]>;
}

/** One value for each measure; a fault that hits several machines in turn gives several observations a round. */
export interface Observation {
  readonly values: Readonly<Record<string, number>>;
  readonly timeline?: Timeline;
}
