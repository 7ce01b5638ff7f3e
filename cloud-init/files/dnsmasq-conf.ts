import { guestPaths } from "../../model/guest-paths";
import { podBridge } from "../../model/pod-network";
import { isClusterNode } from "../../model/roles";
import { type DataCenterPlan, type NodePlan, nodesOf, type SegmentPlan } from "../../stacks/plan/data-center-plan";
import { confValue } from "../quoting";

/**
 * DNS and DHCP of the data centre. Planned names come from /etc/hosts and planned leases from `guestPaths.dhcpHosts`, both
 * read again on reload; this file changes only with the network.
 */
export function renderDnsmasqConf(plan: DataCenterPlan): string {
  const domain = confValue(plan.domain);
  const podLines = nodesOf(plan, "gateway").some(({ roles }) => isClusterNode(roles)) ? forPods : "";
  return `# Only the segments are served, never the uplink; interfaces may come and go.
bind-dynamic
${plan.segments.map(({ name }) => `interface=${confValue(name)}`).join("\n")}
${podLines}
# Names of the data centre are answered here or not at all, in both directions; all others come from outside.
no-resolv
server=${confValue(plan.uplink.dns)}
domain=${domain}
local=/${domain}/
domain-needed
bogus-priv
cache-size=2000

dhcp-authoritative
dhcp-fqdn
dhcp-hostsfile=${guestPaths.dhcpHosts}
${plan.segments.map((segment) => segmentLines(segment, domain)).join("")}# A host that calls itself wpad would steer browsers to its proxy.
dhcp-name-match=set:wpad,wpad
dhcp-ignore-names=tag:wpad
`;
}

/** Pods on the gateway ask its address in a segment, but through another interface. */
const forPods = `interface=${podBridge}
no-dhcp-interface=${podBridge}
`;

function segmentLines(segment: SegmentPlan, domain: string): string {
  const [name, gateway, netmask] = [segment.name, segment.gateway, segment.netmask].map(confValue);
  const [first, last] = [segment.dynamicRange.first, segment.dynamicRange.last].map(confValue);
  return `dhcp-range=set:${name},${first},${last},${netmask},12h
dhcp-option=tag:${name},option:router,${gateway}
dhcp-option=tag:${name},option:dns-server,${gateway}
dhcp-option=tag:${name},option:domain-search,${domain}
`;
}

/** One infinite lease per planned MAC: it survives an outage of the gateway. */
export function renderDhcpHosts(plan: DataCenterPlan): string {
  return plan.nodes
    .filter(({ roles }) => !roles.includes("gateway"))
    .map(hostLines)
    .join("");
}

const hostLines = (node: NodePlan): string =>
  node.interfaces
    .map(({ mac, address }) => `${[mac, address, node.name].map(confValue).join(",")},infinite\n`)
    .join("");
