import { type Explained, etcdPorts, type Flow } from "./flow";
import { glusterManagement, ports } from "./ports";

/**
 * Ports of every node that pods do not reach. Outside its node a pod has the node's address, so the flows above do not tell
 * them apart: each node filters its own pods. Storage machines are closed to pods on all ports.
 */
export const closedToPods: readonly (Pick<Flow, "purpose" | "protocol" | "ports"> & Explained)[] = [
  {
    name: "pods-to-ssh",
    why: "A pod with a stolen key would be an administrator.",
    purpose: "SSH",
    protocol: "tcp",
    ports: [ports.ssh],
  },
  {
    name: "pods-to-kubelet",
    why: "The kubelet runs commands in every container of its node.",
    purpose: "kubelet",
    protocol: "tcp",
    ports: [ports.kubelet],
  },
  {
    name: "pods-to-etcd",
    why: "A client that writes to etcd bypasses every check of the API server.",
    purpose: "etcd",
    protocol: "tcp",
    ports: etcdPorts,
  },
  // A pod could wrap packets in it that pass for those of any other pod.
  {
    name: "pods-to-pod-network",
    why: "A pod could wrap packets that pass for those of any other pod.",
    purpose: "pod network",
    protocol: "udp",
    ports: [ports.podNetwork],
  },
  {
    name: "pods-to-gluster",
    why: "The management of Gluster needs no password.",
    purpose: "Gluster's management",
    protocol: "tcp",
    ports: [glusterManagement],
  },
  {
    name: "pods-to-corosync",
    why: "Its members decide where the floating IP is.",
    purpose: "Corosync",
    protocol: "udp",
    ports: [ports.corosync],
  },
  {
    name: "pods-to-pacemaker",
    why: "It can move and stop every resource of the balancers.",
    purpose: "Pacemaker's management",
    protocol: "tcp",
    ports: [ports.pcsd, ports.pacemakerRemote],
  },
];

export interface GatewayService extends Explained {
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
  {
    name: "dns-udp",
    why: "The gateway resolves the names of the data centre, and asks outside for all others.",
    purpose: "DNS",
    protocol: "udp",
    port: ports.dns,
    from: "segments",
  },
  {
    name: "dns-tcp",
    why: "Answers that do not fit into one UDP packet come over TCP.",
    purpose: "DNS",
    protocol: "tcp",
    port: ports.dns,
    from: "segments",
  },
  {
    name: "dhcp",
    why: "Each planned machine gets its planned address; a host that the plan does not know gets one of another range.",
    purpose: "DHCP",
    protocol: "udp",
    port: ports.dhcp,
    from: "segments",
  },
  {
    name: "ntp",
    why: "Certificates, leases and logs need the same time on all machines. System containers have the clock of the host.",
    purpose: "NTP, to virtual machines",
    protocol: "udp",
    port: ports.ntp,
    from: "segments",
  },
  {
    name: "bastion",
    why: "SSH from this host enters here and goes on to the other nodes: there is one door, with pinned host keys.",
    purpose: "bastion",
    protocol: "tcp",
    port: ports.ssh,
    from: "uplink",
  },
  {
    name: "corosync",
    why: "The gateway has the third vote, so that of two balancers exactly one is in the majority.",
    purpose: "Corosync",
    protocol: "udp",
    port: ports.corosync,
    from: "balancers",
    movedBy: "pacemaker",
  },
  {
    name: "witness-client",
    why: "API servers of both masters may ask the gateway's member of etcd.",
    purpose: "etcd, from its other members",
    protocol: "tcp",
    port: ports.etcdClient,
    from: "masters",
    ofWitness: true,
  },
  {
    name: "witness-peer",
    why: "The members replicate every write to each other. With the gateway as the third one, either of two masters may fail.",
    purpose: "etcd, from its other members",
    protocol: "tcp",
    port: ports.etcdPeer,
    from: "masters",
    ofWitness: true,
  },
];
