import { renderNodeSeed } from "../../cloud-init/render-node-seed";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import type { Bench, StackSettings } from "./bench";
import { parseSettings } from "./parse-settings";

const otherNodes = { gateway: 1, balancers: 2, masters: 3, storage: 3 };
const withoutWorkers = Object.values(otherNodes).reduce((sum, count) => sum + count, 0);

const settingsOf = (nodes: number): StackSettings => ({
  network: { cidr: "172.16.0.0/12", podCidr: "10.128.0.0/9" },
  pools: {
    balancers: { count: otherNodes.balancers },
    masters: { count: otherNodes.masters },
    workers: { count: nodes - withoutWorkers },
    storage: { count: otherNodes.storage, disks: [{ name: "brick", sizeGiB: 10 }] },
  },
});

/** Seconds to parse, plan and render a data centre of that many nodes. */
function planAndRender(nodes: number): number {
  const started = performance.now();
  const plan = planDataCenter(parseSettings(settingsOf(nodes), "thousand"));
  const seeds = plan.nodes.map((node) => renderNodeSeed(plan, node));
  if (seeds.length !== nodes) throw new Error(`rendered ${seeds.length} seeds instead of ${nodes}`);
  return (performance.now() - started) / 1000;
}

/** The limits are multiples of the time of fewer nodes: a ratio well above 1 means that rendering is not linear. */
export const planRender: Bench = {
  rows: [
    {
      ...{ name: "plan-render-1000", unit: "s", target: 0.4 },
      what: "parse, plan and render 1,000 nodes; limit: twice the time of 500",
    },
    {
      name: "plan-render-5000",
      unit: "s",
      what: "parse, plan and render 5,000 nodes; limit: five times the time of 1,000",
    },
  ],
  configurations: [500, 1_000, 5_000].map(settingsOf),
  async measure(round) {
    const limit = 2 * planAndRender(500);
    const thousand = planAndRender(1_000);
    round.record("plan-render-1000", { value: thousand, limit });
    round.record("plan-render-5000", { value: planAndRender(5_000), limit: 5 * thousand });
  },
};
