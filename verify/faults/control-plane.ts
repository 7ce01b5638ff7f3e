import type { Measure } from "../../model/contract-report";
import { ports } from "../../model/ports";
import { nodesOf } from "../../stacks/plan/data-center-plan";
import type { Fault, Observation } from "../fault";
import type { Laboratory } from "../laboratory";
import { apiGap, lostWrites } from "./balancers";
import { recovery, untilReady, writeGap } from "./masters";

const AFTER_MS = 3_000;
const RECOVERY_MS = 240_000;

/** Where a component of the control plane says on its own node that it works. */
const healthOf: Readonly<Record<string, (address: string) => string>> = {
  etcd: () => `http://127.0.0.1:${ports.etcdMetrics}/health`,
  "kube-apiserver": (address) => `https://${address}:${ports.api}/readyz`,
  "kube-controller-manager": () => `https://127.0.0.1:${ports.controllerManager}/healthz`,
  "kube-scheduler": () => `https://127.0.0.1:${ports.scheduler}/healthz`,
};

const longestRecovery: Measure = recovery("from the kill until the component works again", 60_000);

/**
 * The kubelet restarts a static pod, and systemd a service: the same kill, so that both are compared in one table. A single master
 * is without its API until its own one is back.
 */
const crashOf = (component: string, role: "etcd" | "master"): Fault => ({
  name: `${component}-crash`,
  what: `${component} is killed on one ${role === "etcd" ? "member of etcd" : "master"}`,
  onlyWhenNamed: true,
  breaks: (plan) => nodesOf(plan, role).map(({ name }) => name),
  measures: (plan) => {
    const others = nodesOf(plan, role).length > 1;
    return [apiGap(others ? 500 : undefined), writeGap(others ? 1_000 : undefined), longestRecovery, lostWrites];
  },
  inapplicable: () => undefined,
  run: async (lab) => [await crash(lab, component, role)],
});

async function crash(lab: Laboratory, component: string, role: "etcd" | "master"): Promise<Observation> {
  const nodes = nodesOf(lab.plan, role);
  const node = nodes.find(({ name }) => name === lab.machine) ?? nodes[lab.round % nodes.length];
  const url = healthOf[component]?.(node?.address ?? "");
  if (node === undefined || url === undefined) throw new Error(`no node runs ${component}`);
  const process = `pgrep --oldest --full '^${component} '`;
  let recovered = 0;
  const {
    apiGap: gap,
    writeGap: write,
    lostWrites: lost,
    timeline,
  } = await lab.observe(
    node.name,
    async () => {
      const former = (await lab.must(node.name, `former=$(${process}); kill -KILL "$former"; echo "$former"`)).trim();
      const works = `now=$(${process}) && [ "$now" != "${former}" ] && curl -skf --max-time 2 -o /dev/null ${url}`;
      recovered = await lab.until(`${component} works again`, RECOVERY_MS, async () => {
        return (await lab.on(node.name, works)).code === 0;
      });
    },
    AFTER_MS,
  );
  await untilReady(lab, node.name);
  return { values: { "api-gap": gap, "write-gap": write, recovery: recovered, "lost-writes": lost }, timeline };
}

export const componentCrashes: readonly Fault[] = [
  crashOf("etcd", "etcd"),
  ...["kube-apiserver", "kube-controller-manager", "kube-scheduler"].map((name) => crashOf(name, "master")),
];
