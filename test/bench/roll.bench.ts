import { measuredPeers, rollRows } from "../../model/measured/roll-figures";
import { deploy } from "../e2e/lab-under-test";
import { planImage } from "../e2e/planned-image";
import { mustSucceed } from "../support/cluster-under-test";
import { freePort } from "../support/host-observations";
import { longestGapBetween } from "../support/noticed-moments";
import { clientsDuring } from "../support/working-clients";
import type { Bench, BenchRow, StackSettings } from "./bench";
import { labSettings, untilPodsReady, up } from "./lab-under-bench";
import { openStack, type StackUnderBench, stackUnavailable } from "./stack-under-bench";

type MeasuredPeer = (typeof measuredPeers)[number];

/** Which client notices a node that is away: that of a page runs on workers, and volumes have none. */
const noticedBy: Readonly<Record<MeasuredPeer, { readonly client: "api" | "page"; readonly gap: string } | undefined>> =
  {
    balancer: { client: "api", gap: "longest API gap" },
    storage: undefined,
    master: { client: "api", gap: "longest API gap" },
    worker: { client: "page", gap: "longest time without a page of a Service of two pods" },
  };

const rowsOf = (name: MeasuredPeer): readonly BenchRow[] => {
  const { duration, gap } = rollRows(name);
  const noticed = noticedBy[name];
  const ofNode = `a ${name === "storage" ? "storage machine" : name} of \`lab\``;
  return [
    { name: duration, unit: "s", what: `${ofNode} gets another image of the same release, until it works again` },
    ...(noticed === undefined
      ? []
      : [{ name: gap, unit: "ms", what: `${noticed.gap} meanwhile, for a client that calls every 10 ms` } as const]),
  ];
};

/** `pagePort` of the host serves the page of `replicated-page.yaml`. */
const labOf = (pagePort: number): StackSettings => ({
  ...labSettings({}),
  hostPorts: { nodePorts: [{ port: pagePort, nodePort: 30080 }] },
});

let stack: StackUnderBench | undefined;

/** All nodes of the example `lab` get other images, one after the other, while clients work. */
export const roll: Bench = {
  rows: measuredPeers.flatMap(rowsOf),
  configurations: [labOf(20_080)],
  onlyWhenNamed: true,
  unavailable: stackUnavailable,
  async measure(round) {
    stack ??= await openStack();
    const pagePort = await freePort();
    stack.configure(labOf(pagePort));
    await up(stack);
    await deploy(stack, "replicated-page.yaml", "page");
    await untilPodsReady(stack);
    for (const node of ["master-1", "gateway"])
      await planImage(stack, `round-${round.number}`, { "etc/image-mark": `${round.number}\n` }, node);
    const kubeconfig = mustSucceed("kubeconfig", await stack.cluster.groundplane("kubeconfig")).stdout;
    round.signal.throwIfAborted();
    const running = stack;
    const seen = await clientsDuring({ cluster: stack.cluster, kubeconfig, pagePort }, () => up(running));
    for (const line of seen.moments) round.tell(line);
    if (seen.failure !== undefined) throw seen.failure;
    for (const { node, startedMs, endedMs } of seen.rolled) {
      const name = measuredPeers.find((each) => node.startsWith(`${each}-`));
      if (name === undefined) continue;
      const rows = rollRows(name);
      round.record(rows.duration, { value: (endedMs - startedMs) / 1000 });
      const noticed = noticedBy[name];
      if (noticed !== undefined)
        round.record(rows.gap, { value: longestGapBetween(seen[noticed.client], startedMs, endedMs) });
    }
    await stack.destroy();
  },
  async close() {
    await stack?.close();
    stack = undefined;
  },
};
