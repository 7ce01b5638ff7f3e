import { ownNamespaces, systemNamespace } from "../../model/cluster-namespaces";
import { isClusterNode, type Role, storedRoles } from "../../model/roles";
import type { InventoryEntry } from "../../model/stack-outputs";
import { type ClusterState, isFenced, isReady, type PodObject } from "./cluster-state";
import { type Finding, healthy, unhealthy, unknown } from "./findings";

const isOurs = ({ metadata }: { readonly metadata: { readonly namespace: string } }): boolean =>
  ownNamespaces.includes(metadata.namespace);

/** The static pods of a Node with a role: no workload of the cluster counts them. */
const staticPods: Readonly<Partial<Record<Role, readonly string[]>>> = {
  master: ["kube-apiserver", "kube-controller-manager", "kube-scheduler"],
  etcd: ["etcd"],
};

function missingStaticPods(pods: readonly PodObject[], inventory: readonly InventoryEntry[]): readonly Finding[] {
  const present = new Set(pods.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  return inventory
    .filter((entry) => isClusterNode(storedRoles(entry)) && entry.controlPlane !== "services")
    .flatMap((entry) =>
      storedRoles(entry).flatMap((role) => (staticPods[role] ?? []).map((pod) => `${pod}-${entry.name}`)),
    )
    .map((pod) => `${systemNamespace}/${pod}`)
    .filter((pod) => !present.has(pod))
    .map((pod) => unhealthy(pod, "is missing"));
}

/** Pods of users do not count. */
export function readPods({ pods, workloads }: ClusterState, inventory: readonly InventoryEntry[]): readonly Finding[] {
  if ("reason" in pods) return [unknown("cluster", pods.reason)];
  if ("reason" in workloads) return [unknown("cluster", workloads.reason)];
  const ours = pods.value.filter(isOurs);
  const ofPods = ours
    .filter((pod) => pod.status.phase !== "Succeeded")
    .map((pod) => {
      const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
      return isReady(pod) ? healthy(name, "Ready") : unhealthy(name, `is ${pod.status.phase}, not Ready`);
    });
  const ofWorkloads = workloads.value.filter(isOurs).flatMap(({ kind, metadata, spec, status }) => {
    const [wanted, ready] =
      kind === "Deployment"
        ? [spec.replicas ?? 1, status.readyReplicas ?? 0]
        : [status.desiredNumberScheduled ?? 0, status.numberReady ?? 0];
    const observed = `${kind} has ${ready} of ${wanted} pods`;
    return wanted === ready ? [] : [unhealthy(`${metadata.namespace}/${metadata.name}`, observed)];
  });
  // A cluster always has pods of its own, such as CoreDNS.
  if (ofPods.length === 0) return [unhealthy("cluster", "it has no pods of its own")];
  return [...missingStaticPods(ours, inventory), ...ofWorkloads, ...ofPods];
}

/**
 * Pods that were deleted while their node does not respond. Only the node could confirm that they ended, so Kubernetes keeps
 * them, and with them the names of StatefulSets' pods, until the node returns or is fenced.
 */
export function readAwaitingFence({ nodes, pods }: Pick<ClusterState, "nodes" | "pods">): readonly Finding[] {
  if ("reason" in nodes) return [unknown("cluster", nodes.reason)];
  if ("reason" in pods) return [unknown("cluster", pods.reason)];
  const waiting = nodes.value
    .filter((node) => !isReady(node) && !isFenced(node))
    .flatMap(({ metadata }) => {
      const names = pods.value.filter((pod) => isEndingOn(pod, metadata.name)).map(nameOf);
      return names.length === 0 ? [] : [unhealthy(metadata.name, `${names.sort().join(", ")} wait for its return`)];
    });
  return waiting.length > 0 ? waiting : [healthy("cluster", "no pod waits for a lost node")];
}

const isEndingOn = ({ metadata, spec }: PodObject, node: string): boolean =>
  metadata.deletionTimestamp !== undefined && spec?.nodeName === node;

const nameOf = ({ metadata }: PodObject): string => `${metadata.namespace}/${metadata.name}`;
