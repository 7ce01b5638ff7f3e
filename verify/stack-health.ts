import { clusterNamespaces } from "../model/cluster-namespaces";
import type { Role } from "../model/roles";
import type { StackOutputs } from "../model/stack-outputs";
import { removeNamespace } from "./acknowledged-writes";
import { etcdctl } from "./faults/masters";
import { incompleteCopies } from "./faults/storage";
import { removeRecordings } from "./guest-recordings";
import type { Laboratory } from "./laboratory";
import { isHealthy, stackStatus } from "./stack-status";

const RECOVERY_MS = 240_000;
const INTERVAL_MS = 1_000;

/** The problems of a running stack; empty = healthy. Changes nothing. */
export async function findProblems(lab: Laboratory, outputs: StackOutputs): Promise<readonly string[]> {
  const status = await stackStatus(lab.plan.stack, outputs, lab.hypervisor);
  if (!isHealthy(status)) {
    return [
      ...(status.api.ready ? [] : [`the API does not respond: ${status.api.reason}`]),
      ...status.machines.flatMap(({ name, ready, reason, kubernetes }) => {
        if (!ready) return [`${name}: ${reason}`];
        return kubernetes?.ready === false ? [`the node ${name} is not Ready`] : [];
      }),
    ];
  }
  const checks = await Promise.all(Object.values(problemsOf).map((problems) => problems(lab)));
  return checks.flat();
}

type Check = (lab: Laboratory) => Promise<readonly string[]>;

/** `node-ready` on each node covers the role. */
const coveredByNode: Check = async () => [];

/** What is checked of each role beside its nodes. */
const problemsOf: Readonly<Record<Role, Check>> = {
  gateway: coveredByNode,
  balancer: holding,
  // Pods of the data centre itself, on masters and workers alike.
  master: pods,
  etcd: etcdMembers,
  worker: coveredByNode,
  storage: incompleteCopies,
};

/**
 * Connects all links, starts all machines, and waits until the stack is healthy.
 *
 * @throws Error with the remaining problems
 */
export async function recoverStack(lab: Laboratory, outputs: StackOutputs): Promise<void> {
  const { stack, nodes } = lab.plan;
  for (const { name } of nodes) {
    const power = (await lab.hypervisor.inspectMachine({ stack, name }))?.power;
    if (power === "stopped") await lab.start(name);
    else if (power === "running") await lab.hypervisor.links?.setLink({ stack, name }, true);
  }
  const deadline = performance.now() + RECOVERY_MS;
  for (;;) {
    const problems = await findProblems(lab, outputs).catch((error: Error) => [error.message]);
    if (problems.length === 0) return;
    if (performance.now() > deadline) throw new Error(`${stack} is still unhealthy: ${problems.join("; ")}`);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  }
}

/** Removes what the measurement created in the cluster and on its nodes. */
export async function removeTraces(lab: Laboratory): Promise<void> {
  await Promise.all(lab.plan.nodes.map(({ name }) => lab.must(name, removeRecordings)));
  await removeNamespace(lab.api);
}

async function holding(lab: Laboratory): Promise<readonly string[]> {
  const holders = await lab.holders();
  return holders.length === 1 ? [] : [`the floating IP is held by ${holders.join(" and ") || "no balancer"}`];
}

async function etcdMembers(lab: Laboratory): Promise<readonly string[]> {
  const masters = lab.names("etcd");
  const { stdout, stderr } = await lab.on(masters[0] ?? "", etcdctl("endpoint health --cluster"));
  const healthy = (stdout + stderr).match(/is healthy/g)?.length ?? 0;
  return healthy === masters.length ? [] : [`${healthy} of ${masters.length} etcd members are healthy`];
}

/** Only pods of the data centre itself, not of its users. */
async function pods(lab: Laboratory): Promise<readonly string[]> {
  const { status, text } = await lab.api.request("GET", "/api/v1/pods", undefined, 5_000);
  if (status !== 200) return [`the API does not list pods: status ${status}`];
  const { items } = JSON.parse(text) as { readonly items: readonly PodObject[] };
  return items
    .filter(({ metadata, status: { phase, conditions = [] } }) => {
      if (!clusterNamespaces.includes(metadata.namespace)) return false;
      const ready = conditions.some((one) => one.type === "Ready" && one.status === "True");
      return phase !== "Succeeded" && !ready;
    })
    .map(({ metadata }) => `pod ${metadata.namespace}/${metadata.name} is not Ready`);
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}
