import { administratorIn } from "../../guests/administrator";
import { probeApi } from "../../verify/api-probe";
import { type ProbeResult, summarizeSamples } from "../../verify/samples";
import { planImage } from "../e2e/planned-image";
import { mustSucceed } from "../support/cluster-under-test";
import type { Bench } from "./bench";
import { untilPodsReady, up } from "./lab-under-bench";
import { openStack, type StackUnderBench, stackUnavailable } from "./stack-under-bench";

const settings = {
  driver: "nspawn",
  pools: { balancers: { count: 1 }, masters: { count: 1 }, workers: { count: 1 } },
};

let stack: StackUnderBench | undefined;

/** The example `small` gets another image of its gateway and its only balancer, one after the other. */
export const rollOutage: Bench = {
  rows: [
    {
      ...{ name: "roll-gateway-gap", unit: "ms" },
      what: "longest API gap while the gateway gets another image, for a client that calls every 10 ms",
    },
    {
      ...{ name: "roll-only-balancer-gap", unit: "ms" },
      what: "the same while the only balancer gets it",
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
    await planImage(stack, `round-${round.number}`, { "etc/image-mark": `${round.number}\n` }, "gateway");
    const kubeconfig = mustSucceed("kubeconfig", await cluster.groundplane("kubeconfig")).stdout;
    round.signal.throwIfAborted();
    const client = probeApi(`${administratorIn(kubeconfig).server}/readyz`, 10);
    await client.begun;
    let balancerMs = Number.POSITIVE_INFINITY;
    const endLines = cluster.onLine((line) => {
      if (line.includes("balancer-1-image")) balancerMs = Math.min(balancerMs, performance.now());
    });
    let seen: ProbeResult | undefined;
    try {
      await up(stack);
    } finally {
      endLines();
      seen = await client.stop();
    }
    const gapOf = (isPart: (startedMs: number) => boolean): number =>
      summarizeSamples(seen.samples.filter(({ startedMs }) => isPart(startedMs))).longestGapMs;
    round.record("roll-gateway-gap", { value: gapOf((startedMs) => startedMs < balancerMs) });
    round.record("roll-only-balancer-gap", { value: gapOf((startedMs) => startedMs >= balancerMs) });
    await stack.destroy();
  },
  async close() {
    await stack?.close();
    stack = undefined;
  },
};
