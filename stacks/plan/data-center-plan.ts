/** Every machine, address, disk and name of a data centre as readonly data. Renderers and components compute nothing. */
import type { AddOnName } from "../../model/add-ons";
import type { BackupsPlan } from "../../model/backups";
import type { BalancerName } from "../../model/balancers";
import type { PodSecurityLevel } from "../../model/cluster-namespaces";
import type { ContainerRuntimeName } from "../../model/container-runtimes";
import type { ControlPlaneForm } from "../../model/control-planes";
import type { DistributionName } from "../../model/distributions";
import type { FailoverTimers } from "../../model/failover-profiles";
import type { Flow } from "../../model/flows";
import type { RotationNumbers } from "../../model/key-rotations";
import type { KubeProxyMode } from "../../model/kube-proxy-modes";
import type { Settings } from "../../model/resource-types";
import type { Role } from "../../model/roles";
import type { SegmentName } from "../../model/segments";
import type { DataDiskPlan, SystemVolumePlan, VolumePlan } from "./volume-plan";

export type { BrickPlan, DataDiskPlan, SystemVolumePlan, VolumePlan } from "./volume-plan";

/** How a segment reaches beyond its machines, where the configuration says so: see hypervisors/hypervisor.ts. */
export type SegmentAttachmentPlan =
  | { readonly kind: "host"; readonly address: string }
  | { readonly kind: "adapter"; readonly adapter: string };

export interface SegmentPlan {
  readonly name: SegmentName;
  /** e.g. `192.168.56.0/24` */
  readonly cidr: string;
  readonly prefixLength: number;
  readonly networkAddress: string;
  readonly netmask: string;
  readonly broadcast: string;
  /** The gateway's address in this segment: every node's default route and DNS server. */
  readonly gateway: string;
  /** Inclusive range of the addresses that planned nodes have, or would have if their pool grew. */
  readonly nodeRange: { readonly first: string; readonly last: string };
  /** Inclusive range of leases for hosts that the plan does not know. */
  readonly dynamicRange: { readonly first: string; readonly last: string };
  readonly attachment?: SegmentAttachmentPlan;
}

export interface InterfacePlan {
  /** The interface's name in the guest equals the segment's name; the gateway's interface to the internet is called `uplink`. */
  readonly name: SegmentName;
  readonly segment: SegmentName;
  /** Lower-case, colon-separated, locally administered. */
  readonly mac: string;
  readonly address: string;
  readonly prefixLength: number;
}

export interface NodePlan {
  /** `gateway`, `balancer-1`, `master-1`, … */
  readonly name: string;
  /** A set: first the role that names the node, then the others in the order of the table of roles. */
  readonly roles: readonly Role[];
  /** 1-based within its pool. */
  readonly index: number;
  /** `<name>.<domain>` */
  readonly fqdn: string;
  /** UUIDv5 of stack and node name: the machine's identity and cloud-init's instance id. */
  readonly uuid: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
  /** How long an orderly shutdown may take, including the pods' grace. */
  readonly shutdownSeconds: number;
  /** First interface is the node's main one; the gateway has one per segment, every other node exactly one. */
  readonly interfaces: readonly InterfacePlan[];
  /** Address of the first interface. */
  readonly address: string;
  readonly volumes: readonly SystemVolumePlan[];
  readonly dataDisks: readonly DataDiskPlan[];
}

export interface UplinkPlan {
  readonly mac: string;
  /** Addresses of user-mode NAT, the same on every driver: 10.0.2.15/24, router 10.0.2.2, DNS 10.0.2.3. */
  readonly address: string;
  readonly prefixLength: number;
  readonly router: string;
  readonly dns: string;
  /** Ranges behind it that are open although they are private. */
  readonly reachable: readonly string[];
}

type BalancingTimers = FailoverTimers["balancing"];
type KubernetesTimers = FailoverTimers["kubernetes"];

export interface BalancingPlan extends BalancingTimers {
  /** The floating IP of the API, in the dmz segment. */
  readonly floatingIp: string;
  readonly prefixLength: number;
  readonly port: number;
  /** What forwards connections to the masters. */
  readonly program: BalancerName;
  /** What moves it between two balancers; `static`: the only balancer owns it. */
  readonly movedBy: "pacemaker" | "keepalived" | "static";
}

export interface KubernetesPlan extends KubernetesTimers {
  /** Without `v`; a key of `releases`. */
  readonly version: string;
  /** `<floatingIp>:<port>` */
  readonly endpoint: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly dnsServiceIp: string;
  /** Names and addresses of the API server's certificate. */
  readonly certificateNames: readonly string[];
  /** What runs the containers of pods. */
  readonly runtime: ContainerRuntimeName;
  readonly controlPlane: ControlPlaneForm;
  readonly fastProbes: boolean;
  readonly kubeProxy: KubeProxyMode;
  readonly podSecurity: PodSecurityLevel;
  readonly rebootstrap: boolean;
  readonly hasGivenAuthority: boolean;
  /** The limit of the pods' own grace periods when their node stops. */
  readonly podGraceSeconds: number;
}

export interface DataCenterPlan {
  readonly stack: string;
  /** `<stack>.internal` */
  readonly domain: string;
  readonly cidr: string;
  readonly segments: readonly SegmentPlan[];
  /** Addresses for services of type LoadBalancer; in no segment. */
  readonly serviceAddresses: string;
  /** Gateway first, then balancers, masters, etcd, workers, storage, each by index. */
  readonly nodes: readonly NodePlan[];
  readonly uplink: UplinkPlan;
  /** Flows between segments that the configuration adds. */
  readonly flows: readonly Flow[];
  readonly balancing: BalancingPlan;
  readonly kubernetes: KubernetesPlan;
  /** What all machines are made of. */
  readonly distribution: DistributionName;
  /** Absent without storage machines. */
  readonly volume?: VolumePlan;
  /** In the order of their table. */
  readonly addOns: readonly AddOnName[];
  /** Absent where the masters take none. */
  readonly backups?: BackupsPlan;
  /** Ports on the host's 127.0.0.1; NodePorts are reached through the balancers, which forward them to every worker. */
  readonly hostPorts: {
    readonly api: number;
    readonly ssh: number;
    readonly nodePorts: readonly { readonly port: number; readonly nodePort: number }[];
    readonly services?: readonly { readonly port: number; readonly address: string; readonly servicePort: number }[];
  };
  readonly keepDataDisks: boolean;
  readonly maxUnavailableWorkers: number;
  /** Which keys were asked to be replaced, and how often. */
  readonly rotations: RotationNumbers;
  /** The configuration as it takes effect, by path. The guard records it and judges changes by it. */
  readonly settings: Settings;
}

/** Nodes that have the role, in order. */
export function nodesOf(plan: DataCenterPlan, role: Role): readonly NodePlan[] {
  const known = nodesByRole.get(plan) ?? new Map<Role, readonly NodePlan[]>();
  nodesByRole.set(plan, known);
  const nodes = known.get(role) ?? plan.nodes.filter((node) => node.roles.includes(role));
  known.set(role, nodes);
  return nodes;
}

/** Every seed asks for the nodes of several roles: a search through all nodes each time would make rendering quadratic. */
const nodesByRole = new WeakMap<DataCenterPlan, Map<Role, readonly NodePlan[]>>();

/** Members of etcd on machines of its own; empty where the masters are the members. */
export const etcdMachinesOf = (plan: DataCenterPlan): readonly NodePlan[] =>
  nodesOf(plan, "etcd").filter(({ roles }) => !roles.some((role) => role === "master" || role === "gateway"));

/** The gateway, where it is a member of etcd beside the masters: with it, either of two masters may fail. */
export const witnessOf = (plan: DataCenterPlan): NodePlan | undefined =>
  nodesOf(plan, "etcd").find(({ roles }) => roles.includes("gateway") && !roles.includes("master"));
