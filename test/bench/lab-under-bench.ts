import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import type { BenchRow, Round } from "./bench";
import type { EngineAlone } from "./engine-alone";
import type { StackSettings, StackUnderBench } from "./stack-under-bench";

/** What the steps of the lab's bench hand to each other. */
export interface LabUnderBench {
  readonly stack: StackUnderBench;
  readonly plan: DataCenterPlan;
  readonly engine: EngineAlone;
}

/** Something that is done to a living lab; it leaves the lab whole. */
export interface LabStep {
  readonly rows: readonly BenchRow[];
  run(lab: LabUnderBench, round: Round): Promise<void>;
}

/** The example stack `lab`; its data disks go with it, so that each round begins with nothing. */
export function labSettings(workers: number, options: { readonly fastProbes: boolean }, masters = 3): StackSettings {
  return {
    driver: "nspawn",
    pools: {
      balancers: { count: 2 },
      masters: { count: masters },
      workers: { count: workers },
      storage: { count: 3, disks: [{ name: "brick", sizeGiB: 4 }] },
    },
    options: { keepDataDisks: false, ...options },
  };
}

export const apiUrl = ({ hostPorts }: DataCenterPlan): string => `https://127.0.0.1:${hostPorts.api}/readyz`;
export const up = (stack: StackUnderBench): Promise<number> => stack.pulumi("up", "--yes", "--skip-preview");
