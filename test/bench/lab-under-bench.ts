import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { eventually } from "../support/cluster-under-test";
import type { BenchRow, Round, StackSettings } from "./bench";
import type { EngineAlone } from "./engine-alone";
import type { StackUnderBench } from "./stack-under-bench";

/** What the steps of the lab's bench share. */
export interface LabUnderBench {
  readonly stack: StackUnderBench;
  readonly plan: DataCenterPlan;
  readonly engine: EngineAlone;
}

/** An operation on a running lab, which is healthy again afterwards. */
export interface LabStep {
  readonly rows: readonly BenchRow[];
  run(lab: LabUnderBench, round: Round): Promise<void>;
}

/** The example stack `lab`, or `production` with machines of etcd; `destroy` removes its data disks, so that each round starts from nothing. */
export function labSettings({ masters = 3, etcd = 0, workers = 2, fastProbes = false }): StackSettings {
  return {
    driver: "nspawn",
    pools: {
      balancers: { count: 2 },
      masters: { count: masters },
      ...(etcd > 0 && { etcd: { count: etcd } }),
      workers: { count: workers },
      storage: { count: 3, disks: [{ name: "brick", sizeGiB: 4 }] },
    },
    options: { keepDataDisks: false, fastProbes },
  };
}

/** Every configuration that the lab has during its bench. */
export const labVariants = {
  standard: labSettings({}),
  fastProbes: labSettings({ fastProbes: true }),
  moreWorkers: labSettings({ workers: 3 }),
  moreMasters: labSettings({ masters: 5 }),
};

export const apiUrl = ({ hostPorts }: DataCenterPlan): string => `https://127.0.0.1:${hostPorts.api}/readyz`;
export const up = (stack: StackUnderBench): Promise<number> => stack.pulumi("up", "--yes", "--skip-preview");

const READY_MS = 180_000;

/** Operations end when all nodes are Ready. The next one begins when their pods are as well. */
export async function untilPodsReady({ cluster }: StackUnderBench): Promise<void> {
  const allPods = ["wait", "--for=condition=Ready", "pods", "--all", "--all-namespaces", "--timeout=10s"];
  const wait = () => cluster.kubectl("master-1", ...allPods);
  await eventually("every pod is Ready", READY_MS, wait, ({ exitCode }) => exitCode === 0);
}
