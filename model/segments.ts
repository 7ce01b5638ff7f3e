/** The networks that each data centre has, one row per network. */

export const segmentNames = ["dmz", "masters", "workers", "storage", "etcd"] as const;

export type SegmentName = (typeof segmentNames)[number];

/** Consecutive slots of the data centre's range, which is divided into `slotCount` equal ones. */
export interface Slots {
  readonly first: number;
  readonly count: 1 | 2;
}

/**
 * Slots are fixed by position and not by need, so that the growth of a pool never moves a segment, and with it a node.
 */
export const slotCount = 8;

export const segments: Readonly<Record<SegmentName, Slots>> = {
  dmz: { first: 0, count: 1 },
  masters: { first: 1, count: 1 },
  // The pool that grows most.
  workers: { first: 2, count: 2 },
  storage: { first: 4, count: 1 },
  // Only in stacks that have machines for etcd.
  etcd: { first: 5, count: 1 },
};

/** In no segment: addresses for services of type LoadBalancer. */
export const serviceAddressSlots: Slots = { first: 6, count: 2 };

/** The segment with the floating IP. */
export const floatingIpSegment: SegmentName = "dmz";
