import type { Configuration, FailoverProfile } from "../config/configuration";
import { address, cidr, formatAddress } from "../config/ipv4";
import { floatingIpOffset } from "../config/segment-layout";
import type { BalancingPlan, SegmentPlan } from "./data-center-plan";

type FailoverTimers = Pick<BalancingPlan, "tokenMs" | "consensusMs" | "knetPingIntervalMs" | "knetPingTimeoutMs">;

/**
 * Corosync finds a dead member after about token + consensus. `fast` stayed free of false failovers with both cores
 * saturated; `calm` is for hosts that stall for longer, e.g. laptops that swap.
 */
const failoverTimers: Readonly<Record<FailoverProfile, FailoverTimers>> = {
  fast: { tokenMs: 300, consensusMs: 360, knetPingIntervalMs: 200, knetPingTimeoutMs: 400 },
  calm: { tokenMs: 1000, consensusMs: 1200, knetPingIntervalMs: 250, knetPingTimeoutMs: 500 },
};

/** Port of the API, on the floating IP and on every master. */
export const apiPort = 6443;

export function planBalancing(configuration: Configuration, segments: readonly SegmentPlan[]): BalancingPlan {
  const dmz = segments.find((segment) => segment.name === "dmz");
  if (dmz === undefined) throw new RangeError("the plan has no dmz segment");
  const planned = formatAddress(cidr(dmz.cidr).network + floatingIpOffset);
  return {
    floatingIp: formatAddress(address(configuration.floatingIp ?? planned)),
    prefixLength: dmz.prefixLength,
    port: apiPort,
    pair: configuration.pools.balancers.count === 2,
    ...failoverTimers[configuration.options.failover],
  };
}
