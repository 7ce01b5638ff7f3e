export const flannelNamespace = "kube-flannel";
export const volumesNamespace = "volumes";

/**
 * Where the data centre's own pods are; what is in others belongs to its users, and is not asked about when one looks
 * whether the cluster is whole. The command `cluster-ready` of the masters knows the same.
 */
export const clusterNamespaces: readonly string[] = ["kube-system", flannelNamespace, volumesNamespace];
