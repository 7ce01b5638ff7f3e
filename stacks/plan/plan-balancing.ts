import { ports } from "../../model/ports";
import { floatingIpSegment } from "../../model/segments";
import type { Configuration, FailoverProfile } from "../config/configuration";
import { address, cidr, formatAddress } from "../config/ipv4";
import { floatingIpOffset } from "../config/segment-layout";
import type { BalancingPlan, SegmentPlan } from "./data-center-plan";

type FailoverTimers = Pick<
  BalancingPlan,
  "tokenMs" | "consensusMs" | "knetPingIntervalMs" | "knetPingTimeoutMs" | "advertisementMs" | "connectMs" | "checkMs"
>;

/**
 * Corosync finds a dead member after token + consensus, keepalived after three advertisements and a little. `fast` stayed
 * free of false failovers with both cores saturated; `calm` is for hosts that stall for longer, e.g. laptops that swap.
 * A consensus below the token is safe for so few members on one segment: whoever lost the token tells the others at once.
 * A check of HAProxy's outlasts an election of etcd's, during which no master is ready.
 */
const failoverTimers: Readonly<Record<FailoverProfile, FailoverTimers>> = {
  fast: {
    ...{ tokenMs: 230, consensusMs: 170, knetPingIntervalMs: 200, knetPingTimeoutMs: 400, advertisementMs: 200 },
    ...{ connectMs: 250, checkMs: 1000 },
  },
  calm: {
    ...{ tokenMs: 1000, consensusMs: 1200, knetPingIntervalMs: 250, knetPingTimeoutMs: 500, advertisementMs: 600 },
    ...{ connectMs: 1000, checkMs: 3000 },
  },
};

export function planBalancing(configuration: Configuration, segments: readonly SegmentPlan[]): BalancingPlan {
  const dmz = segments.find((segment) => segment.name === floatingIpSegment);
  if (dmz === undefined) throw new RangeError(`the plan has no segment ${floatingIpSegment}`);
  const { options } = configuration;
  const planned = formatAddress(cidr(dmz.cidr).network + floatingIpOffset);
  return {
    floatingIp: formatAddress(address(configuration.floatingIp ?? planned)),
    prefixLength: dmz.prefixLength,
    port: ports.api,
    movedBy: configuration.pools.balancers.count === 2 ? options.failoverBy : "nobody",
    ...failoverTimers[options.failover],
  };
}
