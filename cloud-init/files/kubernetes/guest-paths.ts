/** Where the Kubernetes files of a node lie. Scripts get those they need through node.env. */
export const guestPaths = {
  pki: "/etc/kubernetes/pki",
  /** Mounted into the API server as a whole, read-only. */
  apiServer: "/etc/kubernetes/api-server",
  auditLogs: "/var/log/kubernetes",
  initConfiguration: "/etc/groundplane/kubeadm/init.yaml",
  /** What `kubeadm init` reads, without its secrets: the control plane of a running master follows it. */
  controlPlaneConfiguration: "/etc/groundplane/kubeadm/control-plane.yaml",
  joinConfiguration: "/etc/groundplane/kubeadm/join.yaml",
  patches: "/etc/groundplane/kubeadm/patches",
  flannel: "/etc/groundplane/flannel.yaml",
  plannedNodes: "/etc/groundplane/planned-nodes",
} as const;

export const encryptionConfigurationPath = `${guestPaths.apiServer}/encryption-configuration.yaml`;
export const auditPolicyPath = `${guestPaths.apiServer}/audit-policy.yaml`;
export const authenticationConfigurationPath = `${guestPaths.apiServer}/authentication-configuration.yaml`;
