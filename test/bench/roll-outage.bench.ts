import { administratorIn } from "../../guests/administrator";
import { type MeasuredNode, rollRows } from "../../model/measured/roll-figures";
import { probeApi } from "../../verify/api-probe";
import type { ProbeResult } from "../../verify/samples";
import { planImage } from "../e2e/planned-image";
import { mustSucceed } from "../support/cluster-under-test";
import { longestGapBetween } from "../support/noticed-moments";
import { RolledNodes } from "../support/rolled-nodes";
import type { Bench } from "./bench";
import { untilPodsReady, up } from "./lab-under-bench";
import { openStack, type StackUnderBench, stackUnavailable } from "./stack-under-bench";

const settings = {
  driver: "nspawn",
  pools: { balancers: { count: 1 }, masters: { count: 1 }, workers: { count: 1 } },
};

/** By the names of the nodes. */
const measured: Readonly<Record<string, MeasuredNode>> = {
  gateway: "gateway",
  "balancer-1": "only-balancer",
  "master-1": "only-master",
};

let stack: StackUnderBench | undefined;

/** The example `small` gets other images of its gateway, its only balancer and its only master, one after the other. */
export const rollOutage: Bench = {
  rows: [
    {
      ...{ name: "roll-gateway", unit: "s" },
      what: "the gateway of `small` gets another image of the same release, until it works again",
    },
    {
      ...{ name: "roll-gateway-gap", unit: "ms" },
      what: "longest API gap while the gateway gets another image, for a client that calls every 10 ms",
    },
    {
      ...{ name: "roll-only-balancer", unit: "s" },
      what: "the only balancer of `small` gets another image of the same release, until it works again",
    },
    {
      ...{ name: "roll-only-balancer-gap", unit: "ms" },
      what: "longest API gap meanwhile, for a client that calls every 10 ms",
    },
    {
      ...{ name: "roll-only-master", unit: "s" },
      what: "the only master of `small` gets another image of the same release with the data of etcd, until it works again",
    },
    {
      ...{ name: "roll-only-master-gap", unit: "ms" },
      what: "longest API gap while the only master gets another image, for a client that calls every 10 ms",
    },
  ],
  configurations: [settings],
  onlyWhenNamed: true,
  unavailable: stackUnavailable,
  async measure(round) {
    stack ??= await openStack();
    stack.configure(settings);
    await up(stack);
    await untilPodsReady(stack);
    const { cluster } = stack;
    for (const node of ["gateway", "master-1"])
      await planImage(stack, `round-${round.number}`, { "etc/image-mark": `${round.number}\n` }, node);
    const kubeconfig = mustSucceed("kubeconfig", await cluster.groundplane("kubeconfig")).stdout;
    round.signal.throwIfAborted();
    const client = probeApi(`${administratorIn(kubeconfig).server}/readyz`, 10);
    await client.begun;
    const rolled = new RolledNodes();
    const endLines = cluster.onLine((line) => rolled.read(line, performance.now()));
    let seen: ProbeResult | undefined;
    try {
      await up(stack);
    } finally {
      endLines();
      seen = await client.stop();
    }
    for (const { node, startedMs, endedMs } of rolled.nodes) {
      const name = measured[node];
      if (name === undefined) continue;
      const rows = rollRows(name);
      round.record(rows.duration, { value: (endedMs - startedMs) / 1000 });
      round.record(rows.gap, { value: longestGapBetween(seen, startedMs, endedMs) });
    }
    await stack.destroy();
  },
  async close() {
    await stack?.close();
    stack = undefined;
  },
};
