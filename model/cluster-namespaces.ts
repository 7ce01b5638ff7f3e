export const systemNamespace = "kube-system";
export const flannelNamespace = "kube-flannel";
export const volumesNamespace = "volumes";

/**
 * Namespaces of the data centre's own pods. Other namespaces belong to users: their pods do not count for the health of
 * the cluster. The guest command `cluster-ready` lists the same namespaces.
 */
export const clusterNamespaces: readonly string[] = [systemNamespace, flannelNamespace, volumesNamespace];

/** Kubernetes' Pod Security Standards, the most permissive first. */
export const podSecurityLevels = ["privileged", "baseline", "restricted"] as const;

export type PodSecurityLevel = (typeof podSecurityLevels)[number];
