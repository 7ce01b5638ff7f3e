export const systemNamespace = "kube-system";
export const flannelNamespace = "kube-flannel";
export const volumesNamespace = "volumes";
export const metallbNamespace = "metallb-system";

/** Namespaces of the data centre's own pods, without those of add-ons. No Pod Security Standard applies to them. */
export const clusterNamespaces: readonly string[] = [systemNamespace, flannelNamespace, volumesNamespace];

/**
 * Namespaces of all pods of the data centre. Other namespaces belong to users: their pods do not count for the health of the cluster. The
 * guest command `cluster-ready` lists the same namespaces. Add-ons label theirs, so that API servers need no other exemptions for them.
 */
export const ownNamespaces: readonly string[] = [...clusterNamespaces, metallbNamespace];

/** Kubernetes' Pod Security Standards, the most permissive first. */
export const podSecurityLevels = ["privileged", "baseline", "restricted"] as const;

export type PodSecurityLevel = (typeof podSecurityLevels)[number];
