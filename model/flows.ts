import { type Explained, etcdPorts, type Flow } from "./flow";
import { glusterPorts, ports } from "./ports";

export type { Explained, Flow, FlowParty } from "./flow";
export { flowParties } from "./flow";
export { closedToPods, type GatewayService, gatewayServices } from "./node-flows";

/** What may pass between segments. The gateway's firewall and the table in docs/security.md both come from these tables. */

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
export const interSegmentFlows: readonly (Flow & Explained)[] = [
  {
    name: "api-balanced",
    why: "Nodes know the API by the floating IP only, so that no node depends on one master.",
    purpose: "API, balanced",
    from: ["master", "worker"],
    to: ["api"],
    protocol: "tcp",
    ports: [ports.api],
  },
  // A balancer that has the floating IP may send from it; the only balancer of a small stack always does.
  {
    name: "api-behind",
    why: "A balancer forwards connections to the masters and checks with their certificates that they are ready.",
    purpose: "API, behind",
    from: ["api"],
    to: ["master"],
    protocol: "tcp",
    ports: [ports.api],
  },
  // Kubernetes expects it of its network: webhooks, metrics and exporters on the host network, NodePorts, kubelets, the API
  // for pods, and the pod network itself.
  {
    name: "master-to-worker-tcp",
    why: "API servers call kubelets, webhooks, NodePorts and extension servers on workers. SSH is reached through the gateway only.",
    purpose: "nodes and pods",
    from: ["master"],
    to: ["worker"],
    protocol: "tcp",
    ports: allBut(ports.ssh),
  },
  {
    name: "worker-to-master-tcp",
    why: "Pods reach the API at the masters' own addresses, which kube-proxy puts in the place of the Service. etcd stays closed: only API servers may use it.",
    purpose: "nodes and pods",
    from: ["worker"],
    to: ["master"],
    protocol: "tcp",
    ports: allBut(ports.ssh, ...etcdPorts),
  },
  {
    name: "master-to-worker-udp",
    why: "The pod network wraps packets between pods of different nodes in UDP (VXLAN), and DNS of the cluster is UDP.",
    purpose: "nodes and pods",
    from: ["master"],
    to: ["worker"],
    protocol: "udp",
    ports: allBut(),
  },
  {
    name: "worker-to-master-udp",
    why: "The same in the other direction: pods of workers answer and call pods of masters.",
    purpose: "nodes and pods",
    from: ["worker"],
    to: ["master"],
    protocol: "udp",
    ports: allBut(),
  },
  // Only where etcd has machines of its own, which reach each other inside their segment.
  {
    name: "etcd-from-masters",
    why: "Where etcd has machines of its own, API servers are its only clients. Its members talk to each other inside their segment.",
    purpose: "etcd, from API servers",
    from: ["master"],
    to: ["etcd"],
    protocol: "tcp",
    ports: [ports.etcdClient],
  },
  {
    name: "volumes",
    why: "A worker mounts the volume and talks to every brick itself: it writes to all copies, and no storage machine is between.",
    purpose: "Gluster volumes",
    from: ["worker"],
    to: ["storage"],
    protocol: "tcp",
    ports: glusterPorts,
  },
];

/** Only where masters take backups. A stack without storage machines has no rule for them. */
export const backupFlows: readonly (Flow & Explained)[] = [
  {
    name: "backups",
    why: "A master mounts the volume while it writes a backup, so that backups outlast the masters.",
    purpose: "backups of masters",
    from: ["master"],
    to: ["storage"],
    protocol: "tcp",
    ports: glusterPorts,
  },
];

/** Only with the add-on MetalLB. Services decide themselves which ports they have. */
export const serviceFlow: Pick<Flow, "purpose"> & Explained = {
  name: "service-addresses",
  why: "A Service of type LoadBalancer is for clients in every segment, which the gateway leads to the nodes that answer for its address.",
  purpose: "service addresses",
};

/**
 * Where nothing gets out to through the uplink, unless the configuration lists it: the networks of this host, its neighbours,
 * services for virtual machines (169.254.169.254 gives credentials away), and what is no single host of the internet.
 */
export const closedRanges: readonly string[] = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3"],
];
