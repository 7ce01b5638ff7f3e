import type { Role } from "../../stacks/plan/data-center-plan";

/** The addresses of a role's nodes; `api` is the balancers together with the floating IP. */
export type FlowParty = Exclude<Role, "gateway"> | "api";

export interface Flow {
  readonly purpose: string;
  readonly from: readonly FlowParty[];
  readonly to: readonly FlowParty[];
  readonly protocol: "tcp" | "udp";
  /** Ports and ranges, e.g. `24007-24008`. */
  readonly ports: readonly string[];
}

/**
 * Everything that may pass from one segment into another. What is not listed is refused. Inside a segment nothing is
 * filtered; the gateway itself may reach every node; every node may reach the world.
 */
export const interSegmentFlows = (apiPort: number): readonly Flow[] => [
  { purpose: "API, balanced", from: ["master", "worker"], to: ["api"], protocol: "tcp", ports: [String(apiPort)] },
  // A balancer that has the floating IP may speak from it, the only one of a small stack always does.
  { purpose: "API, behind", from: ["api"], to: ["master"], protocol: "tcp", ports: [String(apiPort)] },
  // The `kubernetes` service leads pods straight to the masters.
  { purpose: "API from pods", from: ["worker"], to: ["master"], protocol: "tcp", ports: [String(apiPort)] },
  { purpose: "pod network", from: ["master"], to: ["worker"], protocol: "udp", ports: ["8472"] },
  { purpose: "pod network", from: ["worker"], to: ["master"], protocol: "udp", ports: ["8472"] },
  { purpose: "kubelet", from: ["master"], to: ["worker"], protocol: "tcp", ports: ["10250"] },
  { purpose: "kubelet", from: ["worker"], to: ["master"], protocol: "tcp", ports: ["10250"] },
  {
    purpose: "Gluster volumes",
    from: ["worker"],
    to: ["storage"],
    protocol: "tcp",
    ports: ["24007-24008", "49152-60999"],
  },
];

export interface GatewayService {
  readonly purpose: string;
  readonly protocol: "tcp" | "udp";
  readonly port: string;
  /** `segments`: any host in any segment; `uplink`: the host's port-forward; `balancers`: these addresses only. */
  readonly from: "segments" | "uplink" | "balancers";
  /** Only where this moves the floating IP. */
  readonly movedBy?: "pacemaker";
}

/** What the gateway itself answers, beside ICMP. */
export const gatewayServices: readonly GatewayService[] = [
  { purpose: "DNS", protocol: "udp", port: "53", from: "segments" },
  { purpose: "DNS", protocol: "tcp", port: "53", from: "segments" },
  { purpose: "DHCP", protocol: "udp", port: "67", from: "segments" },
  { purpose: "NTP", protocol: "udp", port: "123", from: "segments" },
  { purpose: "bastion", protocol: "tcp", port: "22", from: "uplink" },
  { purpose: "Corosync", protocol: "udp", port: "5405", from: "balancers", movedBy: "pacemaker" },
];
