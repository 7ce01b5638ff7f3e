import { type ClusterState, isReady, type NodeObject, type PodObject } from "./cluster-state";
import { type Finding, healthy, unhealthy, unknown } from "./findings";

const OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";
const isFenced = ({ spec }: NodeObject): boolean => spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false;

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
