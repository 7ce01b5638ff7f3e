import { type Cidr, isAligned, lastOf, sizeOf } from "./ipv4";

/**
 * How one range becomes segments: eight equal slots, fixed by position and not by need, so that no pool's growth can
 * ever move a segment, and with it a node.
 */
export interface SegmentLayout {
  readonly dmz: Cidr;
  readonly masters: Cidr;
  /** Two slots: the pool that grows most. */
  readonly workers: Cidr;
  readonly storage: Cidr;
  /** Two slots in no segment, for services of type LoadBalancer. Slot 5 stays free. */
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

/** Whether a range can be laid out; where it cannot, its own rules say so and others keep quiet. */
export const canBeCarved = (network: Cidr): boolean =>
  network.prefixLength <= longestNetworkPrefix && isAligned(network);

export function layOutSegments(network: Cidr): SegmentLayout {
  const slotSize = sizeOf(network) / 8;
  const slots = (first: number, count: 1 | 2): Cidr => ({
    network: network.network + first * slotSize,
    prefixLength: network.prefixLength + (count === 1 ? 3 : 2),
  });
  return {
    dmz: slots(0, 1),
    masters: slots(1, 1),
    workers: slots(2, 2),
    storage: slots(4, 1),
    serviceAddresses: slots(6, 2),
  };
}

/** Leases for hosts that the plan does not know: the last quarter of the segment without its broadcast address. */
export function dynamicRangeOf(segment: Cidr): { readonly first: number; readonly last: number } {
  return { first: segment.network + (sizeOf(segment) * 3) / 4, last: lastOf(segment) - 1 };
}

/** How many nodes a segment has planned addresses for. */
export const nodeCapacityOf = (segment: Cidr): number => (sizeOf(segment) * 3) / 4 - nodeOffset - 1;
