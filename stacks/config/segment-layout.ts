import { type SegmentName, type Slots, segments, serviceAddressSlots, slotCount } from "../../model/segments";
import { type Cidr, isAligned, lastOf, sizeOf } from "./ipv4";

/** The ranges of the table of segments within one network. */
export interface SegmentLayout {
  readonly segments: Readonly<Record<SegmentName, Cidr>>;
  readonly serviceAddresses: Cidr;
}

/** Offsets of fixed addresses from a segment's network address. */
export const gatewayOffset = 1;
/** The host itself, where a hypervisor gives it an address in a segment. */
export const hostAddressOffset = 2;
export const floatingIpOffset = 10;
/** The node with index 1 has offset 11. */
export const nodeOffset = 10;

/** A /22 gives segments of 128 addresses; below that a dmz has no room for its dynamic range. */
export const longestNetworkPrefix = 22;

/** Whether a range can be laid out. If not, the rules of the range report it and other rules are skipped. */
export const canBeCarved = (network: Cidr): boolean =>
  network.prefixLength <= longestNetworkPrefix && isAligned(network);

export function layOutSegments(network: Cidr): SegmentLayout {
  const slotSize = sizeOf(network) / slotCount;
  const range = ({ first, count }: Slots): Cidr => ({
    network: network.network + first * slotSize,
    prefixLength: network.prefixLength + Math.log2(slotCount / count),
  });
  const { dmz, masters, workers, storage, etcd } = segments;
  return {
    segments: {
      ...{ dmz: range(dmz), masters: range(masters), workers: range(workers) },
      ...{ storage: range(storage), etcd: range(etcd) },
    },
    serviceAddresses: range(serviceAddressSlots),
  };
}

/** Leases for hosts that the plan does not know: the last quarter of the segment without its broadcast address. */
export function dynamicRangeOf(segment: Cidr): { readonly first: number; readonly last: number } {
  return { first: segment.network + (sizeOf(segment) * 3) / 4, last: lastOf(segment) - 1 };
}

/** How many nodes a segment has planned addresses for. */
export const nodeCapacityOf = (segment: Cidr): number => (sizeOf(segment) * 3) / 4 - nodeOffset - 1;
