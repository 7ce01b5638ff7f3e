/** How kube-proxy programs the kernel, by the name in its own configuration. ipvs is deprecated. */
export const kubeProxyModes = ["nftables", "iptables"] as const;

export type KubeProxyMode = (typeof kubeProxyModes)[number];
