import { clusterNamespaces } from "../model/cluster-namespaces";
import type { StackOutputs } from "../model/stack-outputs";
import { removeNamespace } from "./acknowledged-writes";
import { etcdctl } from "./faults/masters";
import { incompleteCopies } from "./faults/storage";
import { forgetNotes } from "./guest-notes";
import type { Laboratory } from "./laboratory";
import { isHealthy, stackStatus } from "./stack-status";

const MEND_MS = 240_000;
const LOOK_AGAIN_MS = 1_000;

/** What is not as it should be in a stack that is up; empty = whole. Changes nothing. */
export async function whatIsNotWhole(lab: Laboratory, outputs: StackOutputs): Promise<readonly string[]> {
  const status = await stackStatus(lab.plan.stack, outputs, lab.hypervisor);
  if (!isHealthy(status)) {
    return [
      ...(status.api.ready ? [] : [`the API does not answer: ${status.api.reason}`]),
      ...status.machines.flatMap(({ name, ready, reason, kubernetes }) => {
        if (!ready) return [`${name}: ${reason}`];
        return kubernetes?.ready === false ? [`${name} is no Ready node`] : [];
      }),
    ];
  }
  const checks = await Promise.all([holding(lab), etcdMembers(lab), pods(lab), incompleteCopies(lab)]);
  return checks.flat();
}

/**
 * Plugs all cables in, starts all machines, and waits until the stack is whole again.
 *
 * @throws Error with what is still missing
 */
export async function makeWhole(lab: Laboratory, outputs: StackOutputs): Promise<void> {
  const { stack, nodes } = lab.plan;
  for (const { name } of nodes) {
    const power = (await lab.hypervisor.inspectMachine({ stack, name }))?.power;
    if (power === "stopped") await lab.start(name);
    else if (power === "running") await lab.hypervisor.links?.setLink({ stack, name }, true);
  }
  const deadline = performance.now() + MEND_MS;
  for (;;) {
    const missing = await whatIsNotWhole(lab, outputs).catch((error: Error) => [error.message]);
    if (missing.length === 0) return;
    if (performance.now() > deadline) throw new Error(`${stack} is not whole again: ${missing.join("; ")}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/** Removes what the measuring made in the cluster and in its nodes. */
export async function forgetEverything(lab: Laboratory): Promise<void> {
  await Promise.all(lab.plan.nodes.map(({ name }) => lab.must(name, forgetNotes)));
  await removeNamespace(lab.api);
}

async function holding(lab: Laboratory): Promise<readonly string[]> {
  const holders = await lab.holders();
  return holders.length === 1 ? [] : [`the floating IP is held by ${holders.join(" and ") || "nobody"}`];
}

async function etcdMembers(lab: Laboratory): Promise<readonly string[]> {
  const masters = lab.names("master");
  const { stdout, stderr } = await lab.on(masters[0] ?? "", etcdctl("endpoint health --cluster"));
  const healthy = (stdout + stderr).match(/is healthy/g)?.length ?? 0;
  return healthy === masters.length ? [] : [`${healthy} of ${masters.length} members of etcd are healthy`];
}

/** The data centre's own ones. */
async function pods(lab: Laboratory): Promise<readonly string[]> {
  const { status, text } = await lab.api.ask("GET", "/api/v1/pods", undefined, 5_000);
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
