import { type SegmentName, segmentNames } from "../../model/segments";
import type { AttachmentConfiguration, Configuration, NetworkConfiguration } from "../config/configuration";
import { type Cidr, cidr, formatAddress, formatCidr, lastOf, netmaskOf } from "../config/ipv4";
import { hasEtcdMachines } from "../config/pool-roles";
import {
  dynamicRangeOf,
  gatewayOffset,
  hostAddressOffset,
  layOutSegments,
  nodeCapacityOf,
  nodeOffset,
} from "../config/segment-layout";
import type { SegmentAttachmentPlan, SegmentPlan, UplinkPlan } from "./data-center-plan";
import { macOf } from "./plan-names";

export function planSegments(
  network: NetworkConfiguration,
  attachments: readonly AttachmentConfiguration[],
  pools: Configuration["pools"],
): readonly SegmentPlan[] {
  const layout = layOutSegments(cidr(network.cidr));
  const names = segmentNames.filter((name) => name !== "etcd" || hasEtcdMachines(pools));
  return names.map((name) => {
    const attachment = attachments.find(({ segment }) => segment === name);
    const segment = planSegment(name, layout.segments[name]);
    return attachment ? { ...segment, attachment: planAttachment(attachment, layout.segments[name]) } : segment;
  });
}

function planAttachment({ to, adapter = "" }: AttachmentConfiguration, range: Cidr): SegmentAttachmentPlan {
  if (to === "adapter") return { kind: "adapter", adapter };
  return { kind: "host", address: `${formatAddress(range.network + hostAddressOffset)}/${range.prefixLength}` };
}

function planSegment(name: SegmentName, range: Cidr): SegmentPlan {
  const dynamic = dynamicRangeOf(range);
  return {
    name,
    cidr: formatCidr(range),
    prefixLength: range.prefixLength,
    networkAddress: formatAddress(range.network),
    netmask: netmaskOf(range),
    broadcast: formatAddress(lastOf(range)),
    gateway: formatAddress(range.network + gatewayOffset),
    nodeRange: {
      first: formatAddress(range.network + nodeOffset + 1),
      last: formatAddress(range.network + nodeOffset + nodeCapacityOf(range)),
    },
    dynamicRange: { first: formatAddress(dynamic.first), last: formatAddress(dynamic.last) },
  };
}

export const planServiceAddresses = (network: NetworkConfiguration): string =>
  formatCidr(layOutSegments(cidr(network.cidr)).serviceAddresses);

/** An address follows from segment and index alone: no other node has a say in it. */
export function nodeAddress(segment: SegmentPlan, index: number): string {
  const range = cidr(segment.cidr);
  if (index < 1 || index > nodeCapacityOf(range)) {
    throw new RangeError(`node ${index} does not fit into segment ${segment.name} (${segment.cidr})`);
  }
  return formatAddress(range.network + nodeOffset + index);
}

/** User-mode NAT of every hypervisor offers these addresses; the uplink is static, so that boot waits for no lease. */
export const planUplink = (stack: string, { reachable }: NetworkConfiguration): UplinkPlan => ({
  mac: macOf(stack, "10.0.2.15"),
  address: "10.0.2.15",
  prefixLength: 24,
  router: "10.0.2.2",
  dns: "10.0.2.3",
  reachable,
});
