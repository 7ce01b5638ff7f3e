import { glusterManagement, glusterPorts, ports } from "./ports";

/** What may pass between segments. The gateway's firewall and the README's table both come from these tables. */

/** Addresses that a rule is about; `api` is the balancers together with the floating IP. */
export const flowParties = ["balancer", "api", "master", "etcd", "worker", "storage"] as const;

export type FlowParty = (typeof flowParties)[number];

export interface Flow {
  readonly purpose: string;
  readonly from: readonly FlowParty[];
  readonly to: readonly FlowParty[];
  readonly protocol: "tcp" | "udp";
  /** Ports and ranges, e.g. `8000-8010`. */
  readonly ports: readonly (number | string)[];
}

const etcdPorts = [ports.etcdClient, ports.etcdPeer, ports.etcdMetrics] as const;

/** All ports except these. */
function allBut(...closed: readonly number[]): Flow["ports"] {
  const ends = [0, ...[...closed].sort((a, b) => a - b), 65536];
  return ends.slice(1).flatMap((end, index) => {
    const [first, last] = [(ends[index] ?? 0) + 1, end - 1];
    return first > last ? [] : [first === last ? first : `${first}-${last}`];
  });
}

/**
 * Everything that may pass from one segment into another. What is not listed is refused. Inside a segment nothing is
 * filtered; the gateway itself may reach every node; every node may reach the world, except `closedRanges`. The configuration can add
 * flows.
 */
export const interSegmentFlows: readonly Flow[] = [
  { purpose: "API, balanced", from: ["master", "worker"], to: ["api"], protocol: "tcp", ports: [ports.api] },
  // A balancer that has the floating IP may send from it; the only balancer of a small stack always does.
  { purpose: "API, behind", from: ["api"], to: ["master"], protocol: "tcp", ports: [ports.api] },
  // Kubernetes expects it of its network: webhooks, metrics and exporters on the host network, NodePorts, kubelets, the API
  // for pods, and the pod network itself.
  { purpose: "nodes and pods", from: ["master"], to: ["worker"], protocol: "tcp", ports: allBut(ports.ssh) },
  {
    purpose: "nodes and pods",
    from: ["worker"],
    to: ["master"],
    protocol: "tcp",
    ports: allBut(ports.ssh, ...etcdPorts),
  },
  { purpose: "nodes and pods", from: ["master"], to: ["worker"], protocol: "udp", ports: allBut() },
  { purpose: "nodes and pods", from: ["worker"], to: ["master"], protocol: "udp", ports: allBut() },
  // Only where etcd has machines of its own, which reach each other inside their segment.
  { purpose: "etcd, from API servers", from: ["master"], to: ["etcd"], protocol: "tcp", ports: [ports.etcdClient] },
  { purpose: "Gluster volumes", from: ["worker"], to: ["storage"], protocol: "tcp", ports: glusterPorts },
];

/** Only where masters take backups. A stack without storage machines has no rule for them. */
export const backupFlows: readonly Flow[] = [
  { purpose: "backups of masters", from: ["master"], to: ["storage"], protocol: "tcp", ports: glusterPorts },
];

/**
 * Where nothing gets out to through the uplink, unless the configuration lists it: the networks of this host, its neighbours,
 * services for virtual machines (169.254.169.254 gives credentials away), and what is no single host of the internet.
 */
export const closedRanges: readonly string[] = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"],
];

/**
 * Ports of every node that pods do not reach. Outside its node a pod has the node's address, so the flows above do not tell
 * them apart: each node filters its own pods. Storage machines are closed to pods on all ports.
 */
export const closedToPods: readonly Pick<Flow, "purpose" | "protocol" | "ports">[] = [
  { purpose: "SSH", protocol: "tcp", ports: [ports.ssh] },
  { purpose: "kubelet", protocol: "tcp", ports: [ports.kubelet] },
  { purpose: "etcd", protocol: "tcp", ports: etcdPorts },
  // A pod could wrap packets in it that pass for those of any other pod.
  { purpose: "pod network", protocol: "udp", ports: [ports.podNetwork] },
  { purpose: "Gluster's management", protocol: "tcp", ports: [glusterManagement] },
  { purpose: "Corosync", protocol: "udp", ports: [ports.corosync] },
  { purpose: "Pacemaker's management", protocol: "tcp", ports: [ports.pcsd, ports.pacemakerRemote] },
];

export interface GatewayService {
  readonly purpose: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  /** `segments`: any host in any segment; `uplink`: the host's port-forward; the others: these addresses only. */
  readonly from: "segments" | "uplink" | "balancers" | "masters";
  /** Only where this moves the floating IP. */
  readonly movedBy?: "pacemaker";
  /** Only where the gateway is a member of etcd beside the masters. */
  readonly ofWitness?: true;
}

/** What the gateway itself answers, beside ICMP. */
export const gatewayServices: readonly GatewayService[] = [
  { purpose: "DNS", protocol: "udp", port: ports.dns, from: "segments" },
  { purpose: "DNS", protocol: "tcp", port: ports.dns, from: "segments" },
  { purpose: "DHCP", protocol: "udp", port: ports.dhcp, from: "segments" },
  { purpose: "NTP, to virtual machines", protocol: "udp", port: ports.ntp, from: "segments" },
  { purpose: "bastion", protocol: "tcp", port: ports.ssh, from: "uplink" },
  { purpose: "Corosync", protocol: "udp", port: ports.corosync, from: "balancers", movedBy: "pacemaker" },
  {
    purpose: "etcd, from its other members",
    protocol: "tcp",
    port: ports.etcdClient,
    from: "masters",
    ofWitness: true,
  },
  { purpose: "etcd, from its other members", protocol: "tcp", port: ports.etcdPeer, from: "masters", ofWitness: true },
];
