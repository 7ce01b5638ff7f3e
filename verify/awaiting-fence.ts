import type { KubernetesNode, PodOnNode } from "../guests/kubernetes-api";

/** Pods that stay where they are until their node returns or is fenced. */
export interface AwaitingFence {
  readonly node: string;
  /** `<namespace>/<name>` */
  readonly pods: readonly string[];
}

/**
 * Pods that were deleted while their node does not respond. Only the node could confirm that they ended, so Kubernetes keeps
 * them, and with them the names of StatefulSets' pods. Pure.
 */
export function podsAwaitingFence(
  nodes: readonly Pick<KubernetesNode, "name" | "ready" | "fenced">[],
  pods: readonly PodOnNode[],
): readonly AwaitingFence[] {
  return nodes
    .filter(({ ready, fenced }) => !ready && !fenced)
    .map(({ name }) => ({
      node: name,
      pods: pods
        .filter(({ node, terminating }) => terminating && node === name)
        .map((pod) => `${pod.namespace}/${pod.name}`)
        .sort(),
    }))
    .filter((waiting) => waiting.pods.length > 0);
}
