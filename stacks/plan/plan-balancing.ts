import { failoverProfiles } from "../../model/failover-profiles";
import { ports } from "../../model/ports";
import { floatingIpSegment } from "../../model/segments";
import type { Configuration } from "../config/configuration";
import { address, cidr, formatAddress } from "../config/ipv4";
import { countOfRole } from "../config/pool-roles";
import { floatingIpOffset } from "../config/segment-layout";
import type { BalancingPlan, SegmentPlan } from "./data-center-plan";

export function planBalancing(configuration: Configuration, segments: readonly SegmentPlan[]): BalancingPlan {
  const dmz = segments.find((segment) => segment.name === floatingIpSegment);
  if (dmz === undefined) throw new RangeError(`the plan has no segment ${floatingIpSegment}`);
  const { options } = configuration;
  const planned = formatAddress(cidr(dmz.cidr).network + floatingIpOffset);
  return {
    floatingIp: formatAddress(address(configuration.floatingIp ?? planned)),
    prefixLength: dmz.prefixLength,
    port: ports.api,
    program: options.balancer,
    movedBy: countOfRole(configuration.pools, "balancer") === 2 ? options.failoverBy : "static",
    ...failoverProfiles[options.failover].balancing,
  };
}
