import {
  closedRanges,
  type Flow,
  type FlowParty,
  flowParties,
  type GatewayService,
  gatewayServices,
  interSegmentFlows,
  serviceFlow,
} from "../../model/flows";
import { roles } from "../../model/roles";
import { floatingIpSegment } from "../../model/segments";
import { type DataCenterPlan, nodesOf, witnessOf } from "../../stacks/plan/data-center-plan";
import { announcingSegment, publishedServices } from "../../stacks/plan/plan-add-ons";
import { segmentsOf } from "../../stacks/plan/role-machines";
import { confValue } from "../quoting";
import { ownRules } from "./nftables-own-roles";

/**
 * The gateway's rules in a separate table, replaced in one transaction, so that connections survive a change. Unlisted flows
 * are rejected rather than dropped, so that a mistake is an immediate error and not a timeout.
 */
export function renderNftablesConf(plan: DataCenterPlan): string {
  const [flows, sourceRules] = [flowsOf(plan), plan.segments.map(sourceRule)];
  const own = ownRules(plan, { flows, interfaces: interfaces(plan), sourceRules });
  const inside = interfaces(plan, own.pods);
  return `#!/usr/sbin/nft -f
table inet groundplane
delete table inet groundplane

table inet groundplane {
${partiesOf(plan)
  .map((party) => addressSet(plan, party))
  .join("")}${rangeSet("closed", closedRanges)}${rangeSet("reachable", plan.uplink.reachable)}${echoes}
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    ct state established,related accept
    ct state invalid drop
    meta l4proto icmp accept
${indent([...servicesOf(plan).map((service) => serviceRule(plan, service)), ...own.input])}
  }

  chain forward {
    type filter hook forward priority filter; policy drop;
    ${noEchoes}
    ct state established,related accept
    ct state invalid drop
${indent(sourceRules)}
    iifname "uplink" ct status dnat accept comment "API from the host"
    iifname ${inside} oifname "uplink" ip daddr @reachable accept comment "configured"
    iifname ${inside} oifname "uplink" ip daddr != @closed accept comment "the world"
${indent([...flows.map(flowRule), ...serviceAddresses(plan), ...own.forward])}
    reject with icmpx admin-prohibited
  }

  chain output {
    type filter hook output priority filter; policy accept;
    oifname != "uplink" accept
    ct state established,related accept
${lines(own.output)}    ip daddr ${confValue(plan.uplink.dns)} meta l4proto { tcp, udp } th dport 53 accept comment "names"
    ip daddr @reachable accept comment "configured"
    ip daddr @closed reject with icmpx admin-prohibited
  }

  chain prerouting {
    type nat hook prerouting priority dstnat;
${indent(forwardRules(plan))}
  }

  chain postrouting {
    type nat hook postrouting priority srcnat;
    oifname "uplink" masquerade
  }
}
`;
}

/**
 * Rate-limits empty-ACK storms. After an outage, the uplink's user-mode NAT and a machine may treat each other's empty ACKs as
 * outdated and respond to each with another: twenty million in four minutes, which blocked all other traffic and used a core of
 * the host. No other connection has so many segments without data, and one dropped segment ends the storm.
 */
const echoes = `  set echoes {
    type ipv4_addr . inet_service . ipv4_addr . inet_service
    flags dynamic,timeout; timeout 10s; size 4096
  }
`;
const noEchoes = `iifname "uplink" ip length 40 tcp flags & (syn | rst) == 0 add @echoes {\
 ip saddr . tcp sport . ip daddr . tcp dport limit rate over 5000/second burst 5000 packets } drop`;

/** A party whose segment the stack does not have is in no rule. */
function partiesOf(plan: DataCenterPlan): readonly FlowParty[] {
  const planned = new Set(plan.segments.map(({ name }) => name));
  return flowParties.filter((party) => party === "api" || planned.has(roles[party].segment));
}

function flowsOf(plan: DataCenterPlan): readonly Flow[] {
  const parties = new Set(partiesOf(plan));
  const isPlanned = ({ from, to }: Flow): boolean => [...from, ...to].every((party) => parties.has(party));
  return [...interSegmentFlows, ...plan.flows].filter(isPlanned);
}

function addressSet(plan: DataCenterPlan, party: FlowParty): string {
  const addresses = addressesOf(plan, party).map(confValue).join(", ");
  return `  set ${party} { type ipv4_addr; flags interval; elements = { ${addresses} } }\n`;
}

/** Also without elements: the rules name it. */
function rangeSet(name: string, ranges: readonly string[]): string {
  const elements = ranges.length > 0 ? ` elements = { ${ranges.map(confValue).join(", ")} };` : "";
  return `  set ${name} { type ipv4_addr; flags interval; auto-merge;${elements} }\n`;
}

/**
 * A pool covers all addresses that its nodes can ever have: a leaving node must be reachable for its drain after the gateway has
 * the smaller pool, and a growing pool changes no rule. Unplanned hosts have leases from another range.
 */
function addressesOf(plan: DataCenterPlan, party: FlowParty): string[] {
  if (party === "api") return [...addressesOf(plan, "balancer"), plan.balancing.floatingIp];
  if (party === "balancer") return nodesOf(plan, party).map(({ address }) => address);
  const onGateway = nodesOf(plan, party).filter(({ roles: set }) => set.includes("gateway"));
  const ranges = segmentsOf(plan, party).map(({ nodeRange }) => `${nodeRange.first}-${nodeRange.last}`);
  return [...ranges, ...onGateway.map(({ address }) => address)];
}

const servicesOf = (plan: DataCenterPlan): readonly GatewayService[] => {
  const isWitnessed = witnessOf(plan) !== undefined;
  return gatewayServices.filter(
    ({ movedBy, ofWitness }) =>
      (movedBy === undefined || movedBy === plan.balancing.movedBy) && (!ofWitness || isWitnessed),
  );
};

function serviceRule(plan: DataCenterPlan, service: GatewayService): string {
  const from = {
    segments: `iifname ${interfaces(plan)}`,
    uplink: `iifname "uplink"`,
    balancers: `iifname "${floatingIpSegment}" ip saddr @balancer`,
    masters: `iifname ${interfaces(plan)} ip saddr @master`,
  }[service.from];
  return `${from} ${service.protocol} dport ${service.port} accept comment "${service.purpose}"`;
}

/** Drops packets with a source address of another segment. */
const sourceRule = ({ name, cidr }: { readonly name: string; readonly cidr: string }): string =>
  `iifname "${confValue(name)}" ip saddr != ${confValue(cidr)} drop`;

const flowRule = (flow: Flow): string =>
  flow.from
    .flatMap((from) => flow.to.map((to) => `ip saddr @${from} ip daddr @${to} ${portMatch(flow)}`))
    .join("\n    ");

/** Services decide themselves which ports they have. From the segment of the nodes that answer, they are reached through them, too. */
function serviceAddresses(plan: DataCenterPlan): readonly string[] {
  const segment = announcingSegment(plan);
  if (segment === undefined) return [];
  // Without their route, the default route would lead them into the network of the host.
  const way = `iifname ${interfaces(plan)} oifname "${confValue(segment)}"`;
  return [`${way} ip daddr ${confValue(plan.serviceAddresses)} accept comment "${serviceFlow.purpose}"`];
}

const portMatch = ({ protocol, ports, purpose }: Flow): string =>
  `${protocol} dport { ${ports.map(confValue).join(", ")} } accept comment "${purpose}"`;

/** The host's ports lead to the floating IP: the API, and NodePorts, which the balancers forward to workers; and to Services. */
function forwardRules(plan: DataCenterPlan): readonly string[] {
  const { uplink, balancing, hostPorts } = plan;
  const forwarded = (port: number, to: string): string =>
    `iifname "uplink" ip daddr ${confValue(uplink.address)} tcp dport ${port} dnat ip to ${confValue(to)}`;
  return [
    ...[balancing.port, ...hostPorts.nodePorts.map(({ nodePort }) => nodePort)].map((port) =>
      forwarded(port, `${balancing.floatingIp}:${port}`),
    ),
    ...publishedServices(plan).map(({ guestPort, address, servicePort }) =>
      forwarded(guestPort, `${address}:${servicePort}`),
    ),
  ];
}

const interfaces = (plan: DataCenterPlan, others: readonly string[] = []): string =>
  `{ ${[...plan.segments.map(({ name }) => name), ...others].map((name) => `"${confValue(name)}"`).join(", ")} }`;

/** Nothing without rules. */
const lines = (rules: readonly string[]): string => (rules.length === 0 ? "" : `${indent(rules)}\n`);

const indent = (rules: readonly string[]): string => rules.map((rule) => `    ${rule}`).join("\n");
