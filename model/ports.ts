/** Well-known ports, each once. */
export const ports = {
  ssh: 22,
  dns: 53,
  dhcp: 67,
  ntp: 123,
  /** Of the API, on the floating IP and on every master. */
  api: 6443,
  etcdClient: 2379,
  etcdPeer: 2380,
  etcdMetrics: 2381,
  kubelet: 10250,
  kubeletHealth: 10248,
  kubeProxyMetrics: 10249,
  kubeProxyHealth: 10256,
  controllerManager: 10257,
  scheduler: 10259,
  networkPolicies: 9880,
  /** Of the add-ons, on workers: metrics-server, and the speakers of MetalLB among each other and for their kubelet. */
  metricsServer: 4443,
  speakers: 7946,
  speakerHealth: 17472,
  speakerMetrics: 9120,
  /** Of the registry, in its pod. */
  registry: 5443,
  /** VXLAN as Linux has it by default, which flannel uses. */
  podNetwork: 8472,
  corosync: 5405,
  /** A balancer answers here when it can take over connections to the floating IP. */
  handOver: 6444,
  pcsd: 2224,
  pacemakerRemote: 3121,
} as const;

/** The API server's default range of NodePorts. */
export const firstNodePort = 30_000;
export const lastNodePort = 32_767;

/** By which this host reaches the registry. API servers give Services without a NodePort of their own one of the later ones. */
export const registryNodePort = 30_050;

export const glusterManagement = "24007-24008";

/** Of Gluster: its management, and one port for each brick. */
export const glusterPorts = [glusterManagement, "49152-60999"] as const;
