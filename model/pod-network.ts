/** All pods of a node without `hostNetwork` are behind this bridge; the image's template for containerd names it. */
export const podBridge = "cni0";

/** Of flannel: leads to the pods of other nodes. */
export const podTunnel = "flannel.1";
