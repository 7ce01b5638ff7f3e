import type { Configuration } from "./configuration";
import { address, type Cidr, cidr, contains, formatAddress, formatCidr, lastOf } from "./ipv4";
import type { Rule } from "./rules";
import {
  canBeCarved,
  dynamicRangeOf,
  floatingIpOffset,
  gatewayOffset,
  layOutSegments,
  nodeOffset,
} from "./segment-layout";

/** Also with one balancer both addresses stay reserved: a second one must find its own free. */
const reservedBalancers = 2;

const floatingIpFree: Rule = {
  reads: [["floatingIp"], ["network", "cidr"]],
  check({ floatingIp, network }) {
    const range = cidr(network.cidr);
    if (floatingIp === undefined || !canBeCarved(range)) return [];
    const { dmz } = layOutSegments(range).segments;
    const broken = brokenAddressRule(address(floatingIp), dmz);
    if (broken === undefined) return [];
    const planned = formatAddress(dmz.network + floatingIpOffset);
    return [{ path: ["floatingIp"], rule: broken, fix: `leave it out or use ${planned}` }];
  },
};

function brokenAddressRule(value: number, dmz: Cidr): string | undefined {
  const dynamic = dynamicRangeOf(dmz);
  const offset = value - dmz.network;
  if (!contains(dmz, value)) return `must be inside the dmz segment ${formatCidr(dmz)}`;
  if (value === dmz.network || value === lastOf(dmz)) return "must not be the segment's first or last address";
  if (offset === gatewayOffset) return "must not be the gateway's address";
  if (offset > nodeOffset && offset <= nodeOffset + reservedBalancers) {
    return `must not be the address of balancer-${offset - nodeOffset}`;
  }
  if (value >= dynamic.first) {
    return `must be outside the dynamic range ${formatAddress(dynamic.first)} to ${formatAddress(dynamic.last)}`;
  }
  return undefined;
}

const hostPortsDiffer: Rule = {
  reads: [["hostPorts"]],
  check({ hostPorts }: Configuration) {
    if (hostPorts.api !== hostPorts.ssh) return [];
    return [{ path: ["hostPorts", "ssh"], rule: "must differ from hostPorts.api", fix: "give each its own port" }];
  },
};

export const addressRules: readonly Rule[] = [floatingIpFree, hostPortsDiffer];
