import { nodesOf } from "../../stacks/plan/data-center-plan";
import { deploy } from "../e2e/lab-under-test";
import { from, runsNextRelease, to } from "../e2e/upgraded-stack";
import { mustSucceed } from "../support/cluster-under-test";
import { freePort } from "../support/host-observations";
import { clientsDuring } from "../support/working-clients";
import type { Bench, StackSettings } from "./bench";
import { labSettings, untilPodsReady, up } from "./lab-under-bench";
import { openStack, type StackUnderBench, stackUnavailable } from "./stack-under-bench";

/** `pagePort` of the host serves the page of `replicated-page.yaml`. */
const labOf = (kubernetesVersion: string, pagePort: number): StackSettings => ({
  ...labSettings({}),
  kubernetesVersion,
  hostPorts: { nodePorts: [{ port: pagePort, nodePort: 30080 }] },
});

let stack: StackUnderBench | undefined;

/** The example `lab` moves to the next minor version of Kubernetes, while clients work. */
export const upgrade: Bench = {
  rows: [
    {
      ...{ name: "upgrade-lab", unit: "s", target: 480 },
      what: "one `up` of `lab` to the next release of Kubernetes, with clients at work",
    },
    {
      ...{ name: "upgrade-gap", unit: "ms", target: 300 },
      what: "longest API gap meanwhile, for a client that calls every 10 ms and waits a second for each response",
    },
    {
      ...{ name: "upgrade-failed-requests", unit: "requests", target: 0 },
      what: "failed requests to a Service of two pods meanwhile, of a client that calls every 10 ms and waits three seconds for each response",
    },
    {
      ...{ name: "upgrade-lost-writes", unit: "writes", target: 0 },
      what: "acknowledged writes that are lost afterwards, of a client that writes every 100 ms",
    },
  ],
  configurations: [from, to].map((version) => labOf(version, 20_080)),
  onlyWhenNamed: true,
  unavailable: stackUnavailable,
  async measure(round) {
    stack ??= await openStack();
    const pagePort = await freePort();
    stack.configure(labOf(from, pagePort));
    await up(stack);
    await deploy(stack, "replicated-page.yaml", "page");
    await untilPodsReady(stack);
    const plan = stack.configure(labOf(to, pagePort));
    await stack.groundplane("image", "build");
    const kubeconfig = mustSucceed("kubeconfig", await stack.cluster.groundplane("kubeconfig")).stdout;
    round.signal.throwIfAborted();
    const running = stack;
    const seen = await clientsDuring({ cluster: stack.cluster, kubeconfig, pagePort }, () => up(running));
    for (const line of seen.moments) round.tell(line);
    if (seen.failure !== undefined) throw seen.failure;
    await runsNextRelease(stack, "master-1", nodesOf(plan, "master").length + nodesOf(plan, "worker").length);
    round.record("upgrade-lab", { value: seen.seconds });
    round.record("upgrade-gap", { value: seen.api.longestGapMs });
    round.record("upgrade-failed-requests", { value: seen.page.failed });
    round.record("upgrade-lost-writes", { value: seen.writes.lost.length });
    await stack.destroy();
  },
  async close() {
    await stack?.close();
    stack = undefined;
  },
};
