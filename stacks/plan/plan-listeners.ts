import { balancers } from "../../model/balancers";
import { firstNodePort, glusterManagement, lastNodePort, ports } from "../../model/ports";
import { isClusterNode, type Role } from "../../model/roles";
import { type DataCenterPlan, etcdMachinesOf, type NodePlan } from "./data-center-plan";

/** Who listens where on a machine, so that the programs of its roles never ask for the same port of the same address. */

export const everyAddress = "*";
const loopback = "127.0.0.1";

export interface Listener {
  readonly program: string;
  readonly protocol: "tcp" | "udp";
  /** `*`: every address of the machine. */
  readonly address: string;
  /** Both ends included. */
  readonly ports: readonly [first: number, last: number];
}

/**
 * Where the balancing program accepts connections: on every address where nothing else has its ports, because the floating IP may
 * come later. A machine that is a master or a worker, too, has the same ports on its own address for itself.
 */
export const balancerAddresses = ({ balancing }: DataCenterPlan, { roles }: NodePlan): readonly string[] =>
  isClusterNode(roles) ? [balancing.floatingIp, loopback] : [everyAddress];

/** Where the API server listens: `undefined` for its default, every address. */
export const apiServerAddress = ({ roles, address }: NodePlan): string | undefined =>
  roles.includes("balancer") ? address : undefined;

type Listening = (plan: DataCenterPlan, node: NodePlan) => readonly Listener[];

const at = (
  program: string,
  addresses: readonly string[],
  first: number,
  last = first,
  protocol: Listener["protocol"] = "tcp",
): readonly Listener[] => addresses.map((address) => ({ program, protocol, address, ports: [first, last] }));

const corosync: Listening = ({ balancing }, { address }) =>
  balancing.movedBy === "pacemaker" ? at("corosync", [address], ports.corosync, ports.corosync, "udp") : [];

const ofEveryNode: Listening = (_plan, { roles }) => [
  ...at("sshd", [everyAddress], ports.ssh),
  ...(roles.includes("etcd") || isClusterNode(roles) ? at("kubelet's health", [loopback], ports.kubeletHealth) : []),
];

const ofClusterNode: Listening = (_plan, { address }) => [
  ...at("kubelet", [everyAddress], ports.kubelet),
  ...at("kube-proxy", [everyAddress], ports.kubeProxyHealth),
  ...at("kube-proxy", [loopback], ports.kubeProxyMetrics),
  ...at("NodePorts", [address], firstNodePort, lastNodePort),
  ...at("flannel", [everyAddress], ports.podNetwork, ports.podNetwork, "udp"),
  ...at("network policies", [loopback], ports.networkPolicies),
];

const listening: Readonly<Record<Role, Listening>> = {
  gateway: (plan, { interfaces, roles }) => {
    const held = roles.includes("balancer") ? [plan.balancing.floatingIp] : [];
    const addresses = [loopback, ...interfaces.map(({ address }) => address), ...held];
    return [
      ...at("dnsmasq", addresses, ports.dns),
      ...at("dnsmasq", addresses, ports.dns, ports.dns, "udp"),
      ...at("dnsmasq", [everyAddress], ports.dhcp, ports.dhcp, "udp"),
      ...corosync(plan, plan.nodes.find(({ roles }) => roles.includes("gateway")) as NodePlan),
    ];
  },
  balancer: (plan, node) => {
    const { balancing, hostPorts } = plan;
    const { title } = balancers[balancing.program];
    return [
      ...[balancing.port, ...hostPorts.nodePorts.map(({ nodePort }) => nodePort)].flatMap((port) =>
        at(title, balancerAddresses(plan, node), port),
      ),
      ...corosync(plan, node),
    ];
  },
  master: (plan, node) => [
    ...at("API server", [apiServerAddress(node) ?? everyAddress], plan.balancing.port),
    ...at("controller manager", [loopback], ports.controllerManager),
    ...at("scheduler", [loopback], ports.scheduler),
    ...(etcdMachinesOf(plan).length > 0 ? at("etcd's proxy", [loopback], ports.etcdClient) : []),
    ...ofClusterNode(plan, node),
  ],
  etcd: (_plan, { address }) => [
    ...at("etcd", [loopback, address], ports.etcdClient),
    ...at("etcd", [address], ports.etcdPeer),
    ...at("etcd", [loopback], ports.etcdMetrics),
  ],
  worker: ofClusterNode,
  storage: () => {
    const [first, last] = glusterManagement.split("-").map(Number) as [number, number];
    return at("Gluster", [everyAddress], first, last);
  },
};

/** Everything that listens on a machine, as its roles say. */
export function listenersOf(plan: DataCenterPlan, node: NodePlan): readonly Listener[] {
  const all = [ofEveryNode, ...node.roles.map((role) => listening[role])].flatMap((of) => of(plan, node));
  return [...new Map(all.map((listener) => [JSON.stringify(listener), listener])).values()];
}

/** Pairs of different programs that ask for the same port of the same address. */
export function collisionsOf(listeners: readonly Listener[]): readonly string[] {
  return listeners.flatMap((one, position) =>
    listeners
      .slice(position + 1)
      .filter((other) => collide(one, other))
      .map((other) => `${textOf(one)} and ${textOf(other)}`),
  );
}

const collide = (one: Listener, other: Listener): boolean =>
  one.program !== other.program &&
  one.protocol === other.protocol &&
  one.ports[0] <= other.ports[1] &&
  other.ports[0] <= one.ports[1] &&
  (one.address === other.address || one.address === everyAddress || other.address === everyAddress);

const textOf = ({ program, protocol, address, ports: [first, last] }: Listener): string =>
  `${program} on ${address}:${first === last ? first : `${first}-${last}`}/${protocol}`;
