import { nodesOf } from "../../stacks/plan/data-center-plan";
import { deploy } from "../e2e/lab-under-test";
import { from, runsNextRelease, to } from "../e2e/upgraded-stack";
import { mustSucceed } from "../support/cluster-under-test";
import { freePort } from "../support/host-observations";
import { clientsDuring } from "../support/working-clients";
import type { Bench, Round, StackSettings } from "./bench";
import { labSettings, untilPodsReady, up } from "./lab-under-bench";
import { openStack, type StackUnderBench, stackUnavailable } from "./stack-under-bench";

type Example = "lab" | "production";

/** `pagePort` of the host serves the page of `replicated-page.yaml`. */
const settingsOf = (example: Example, kubernetesVersion: string, pagePort: number): StackSettings => ({
  ...labSettings(example === "lab" ? {} : { masters: 2, etcd: 3 }),
  kubernetesVersion,
  hostPorts: { nodePorts: [{ port: pagePort, nodePort: 30080 }] },
});

const rowsOf = {
  lab: {
    ...{ duration: "upgrade-lab", gap: "upgrade-gap" },
    ...{ failed: "upgrade-failed-requests", lost: "upgrade-lost-writes" },
  },
  production: {
    ...{ duration: "upgrade-production", gap: "upgrade-production-gap" },
    ...{ failed: "upgrade-production-failed-requests", lost: "upgrade-production-lost-writes" },
  },
} as const satisfies Readonly<Record<Example, Readonly<Record<string, string>>>>;

/** An example moves to the next minor version of Kubernetes, while clients work. */
const upgradeOf = (example: Example): Bench => {
  const names = rowsOf[example];
  let stack: StackUnderBench | undefined;
  return {
    rows: [
      {
        ...{ name: names.duration, unit: "s", target: 480 },
        what: `one \`up\` of \`${example}\` to the next release of Kubernetes, with clients at work`,
      },
      {
        ...{ name: names.gap, unit: "ms", target: 300 },
        what: "longest API gap meanwhile, for a client that calls every 10 ms and waits a second for each response",
      },
      {
        ...{ name: names.failed, unit: "requests", target: 0 },
        what: "failed requests to a Service of two pods meanwhile, of a client that calls every 10 ms and waits three seconds for each response",
      },
      {
        ...{ name: names.lost, unit: "writes", target: 0 },
        what: "acknowledged writes that are lost afterwards, of a client that writes every 100 ms",
      },
    ],
    configurations: [from, to].map((version) => settingsOf(example, version, 20_080)),
    onlyWhenNamed: true,
    unavailable: stackUnavailable,
    async measure(round) {
      stack ??= await openStack();
      const seen = await measureUpgrade(stack, example, round);
      round.record(names.duration, { value: seen.seconds });
      round.record(names.gap, { value: seen.api.longestGapMs });
      round.record(names.failed, { value: seen.page.failed });
      round.record(names.lost, { value: seen.writes.lost.length });
      await stack.destroy();
    },
    async close() {
      await stack?.close();
      stack = undefined;
    },
  };
};

async function measureUpgrade(stack: StackUnderBench, example: Example, round: Round) {
  const pagePort = await freePort();
  stack.configure(settingsOf(example, from, pagePort));
  await up(stack);
  await deploy(stack, "replicated-page.yaml", "page");
  await untilPodsReady(stack);
  const plan = stack.configure(settingsOf(example, to, pagePort));
  await stack.groundplane("image", "build");
  const kubeconfig = mustSucceed("kubeconfig", await stack.cluster.groundplane("kubeconfig")).stdout;
  round.signal.throwIfAborted();
  const seen = await clientsDuring({ cluster: stack.cluster, kubeconfig, pagePort }, () => up(stack));
  for (const line of seen.moments) round.tell(line);
  if (seen.failure !== undefined) throw seen.failure;
  await runsNextRelease(stack, "master-1", nodesOf(plan, "master").length + nodesOf(plan, "worker").length);
  return seen;
}

export const upgradeLab = upgradeOf("lab");
export const upgradeProduction = upgradeOf("production");
