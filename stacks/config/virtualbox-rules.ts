import { drivers } from "../../model/drivers";
import { floatingIpSegment } from "../../model/segments";
import type { Configuration } from "./configuration";
import type { ConfigurationPath } from "./configuration-path";
import { address, cidr, formatAddress } from "./ipv4";
import { hasEtcdMachines, noEtcdSegment } from "./pool-roles";
import type { Finding, Rule } from "./rules";
import { canBeCarved, hostAddressOffset, layOutSegments } from "./segment-layout";

const attachments: ConfigurationPath = ["virtualbox", "attachments"];

/** Other drivers would leave it out silently. */
const onlyOnVirtualbox: Rule = {
  reads: [attachments, ["driver"]],
  check({ driver, virtualbox }) {
    if (virtualbox.attachments.length === 0 || driver === "auto" || drivers[driver].attachesSegments) return [];
    return [{ path: attachments, rule: `is for VirtualBox, not for ${driver}`, fix: "remove it, or use virtualbox" }];
  },
};

const eachComplete: Rule = {
  reads: [attachments],
  check: ({ virtualbox }) =>
    virtualbox.attachments.flatMap(({ segment, to, adapter }, position): readonly Finding[] => {
      const path = [...attachments, position];
      const earlier = virtualbox.attachments.slice(0, position).some((other) => other.segment === segment);
      return [
        ...(earlier ? [{ path, rule: `must name ${segment} only once`, fix: "remove one of the two" }] : []),
        ...(to === "adapter" && adapter === undefined
          ? [{ path, rule: "must name the host's adapter", fix: "add it, e.g. `adapter: eth0`" }]
          : []),
        ...(to === "host" && adapter !== undefined
          ? [{ path, rule: "must not name an adapter for `to: host`", fix: "remove it, or write `to: adapter`" }]
          : []),
      ];
    }),
};

const attachedExist: Rule = {
  reads: [["pools", "etcd", "count"], attachments],
  check: ({ pools, virtualbox }) =>
    virtualbox.attachments.flatMap(({ segment }, position): readonly Finding[] =>
      segment === "etcd" && !hasEtcdMachines(pools)
        ? [{ path: [...attachments, position, "segment"], ...noEtcdSegment }]
        : [],
    ),
};

const hostAddressFree: Rule = {
  reads: [attachments, ["floatingIp"], ["network", "cidr"]],
  check({ virtualbox, floatingIp, network }: Configuration) {
    const range = cidr(network.cidr);
    const isAttached = virtualbox.attachments.some(({ segment, to }) => segment === floatingIpSegment && to === "host");
    if (!isAttached || floatingIp === undefined || !canBeCarved(range)) return [];
    const host = layOutSegments(range).segments.dmz.network + hostAddressOffset;
    if (address(floatingIp) !== host) return [];
    const rule = `must not be ${formatAddress(host)}, which the host has in the dmz`;
    return [{ path: ["floatingIp"], rule, fix: `use ${formatAddress(host + 1)}` }];
  },
};

export const virtualboxRules: readonly Rule[] = [onlyOnVirtualbox, eachComplete, attachedExist, hostAddressFree];
