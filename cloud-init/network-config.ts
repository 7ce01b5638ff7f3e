import type { DataCenterPlan, InterfacePlan, NodePlan, SegmentPlan } from "../stacks/plan/data-center-plan";
import { emitYaml } from "./emit-yaml";

interface Ethernet {
  readonly match: { readonly macaddress: string };
  readonly "set-name": string;
  readonly dhcp4: false;
  readonly dhcp6: false;
  readonly addresses: readonly string[];
  readonly routes?: readonly { readonly to: string; readonly via: string }[];
  readonly nameservers?: { readonly addresses: readonly string[]; readonly search: readonly string[] };
}

/** cloud-init's renderer for networkd refuses the word `default`. */
const everywhere = "0.0.0.0/0";

/** Network configuration version 2: every address static, interfaces found by MAC and named after their segment. */
export function renderNetworkConfig(plan: DataCenterPlan, node: NodePlan): string {
  const ethernets = node.roles.includes("gateway") ? gatewayEthernets(plan, node) : nodeEthernets(plan, node);
  return emitYaml({ version: 2, ethernets });
}

function gatewayEthernets(plan: DataCenterPlan, node: NodePlan): Record<string, Ethernet> {
  const { uplink } = plan;
  const ethernets: Record<string, Ethernet> = {
    uplink: {
      ...ethernet(uplink.mac, "uplink", [`${uplink.address}/${uplink.prefixLength}`]),
      routes: [{ to: everywhere, via: uplink.router }],
    },
  };
  for (const nic of node.interfaces) {
    const second = nic === firstInterface(node) ? secondAddresses(plan, node) : [];
    ethernets[nic.name] = ethernet(nic.mac, nic.name, [addressOf(nic), ...second]);
  }
  return ethernets;
}

function nodeEthernets(plan: DataCenterPlan, node: NodePlan): Record<string, Ethernet> {
  const nic = firstInterface(node);
  const { gateway } = segmentOf(plan, nic);
  const addresses = [addressOf(nic), ...secondAddresses(plan, node)];
  return {
    [nic.name]: {
      ...ethernet(nic.mac, nic.name, addresses),
      routes: [{ to: everywhere, via: gateway }],
      nameservers: { addresses: [gateway], search: [plan.domain] },
    },
  };
}

/** A single balancer owns the floating IP; in a pair, the failover software assigns it. */
function secondAddresses(plan: DataCenterPlan, node: NodePlan): string[] {
  const { floatingIp, prefixLength, movedBy } = plan.balancing;
  return node.roles.includes("balancer") && movedBy === "static" ? [`${floatingIp}/${prefixLength}`] : [];
}

function ethernet(mac: string, name: string, addresses: readonly string[]): Ethernet {
  return { match: { macaddress: mac }, "set-name": name, dhcp4: false, dhcp6: false, addresses };
}

const addressOf = (nic: InterfacePlan): string => `${nic.address}/${nic.prefixLength}`;

/** Every planned node has at least one interface. */
export function firstInterface(node: NodePlan): InterfacePlan {
  const nic = node.interfaces[0];
  if (!nic) throw new Error(`${node.name} is planned without an interface`);
  return nic;
}

export function segmentOf(plan: DataCenterPlan, nic: InterfacePlan): SegmentPlan {
  const segment = plan.segments.find(({ name }) => name === nic.segment);
  if (!segment) throw new Error(`segment ${nic.segment} is not planned`);
  return segment;
}
