/** Labels and taints of Nodes that decide where pods run. */
export const nodeMarks = {
  /** Label and taint of masters, by kubeadm. The taint keeps pods away. */
  controlPlane: "node-role.kubernetes.io/control-plane",
  /** Label of masters, by kubeadm: load balancers leave them out. */
  withoutBalancing: "node.kubernetes.io/exclude-from-external-load-balancers",
  /** Label of a Node with the volume, by its own keep-volume-mounted. */
  volume: "groundplane.internal/volume",
} as const;
