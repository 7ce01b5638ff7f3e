import { addOns } from "../model/add-ons";
import { primaryRole, type Role } from "../model/roles";
import { floatingIpSegment } from "../model/segments";
import {
  type DataCenterPlan,
  etcdMachinesOf,
  type NodePlan,
  nodesOf,
  type SegmentPlan,
  witnessOf,
} from "../stacks/plan/data-center-plan";
import { announcingSegment } from "../stacks/plan/plan-add-ons";

export const diagramFormats = ["text", "mermaid"] as const;
export type DiagramFormat = (typeof diagramFormats)[number];

/** The topology of a data centre as a diagram; the same plan always gives the same text. */
export function renderDiagram(plan: DataCenterPlan, format: DiagramFormat): string {
  return format === "mermaid" ? renderMermaid(plan) : renderText(plan);
}

const nodesIn = (plan: DataCenterPlan, segment: SegmentPlan): readonly NodePlan[] =>
  plan.nodes.filter((node) => !node.roles.includes("gateway") && node.interfaces[0]?.segment === segment.name);

const floatingAddress = ({ balancing }: DataCenterPlan): string => `${balancing.floatingIp}:${balancing.port}`;

const hostPortsOf = ({ hostPorts }: DataCenterPlan): readonly (readonly [port: number, leadsTo: string])[] => [
  [hostPorts.api, "API"],
  [hostPorts.ssh, "SSH"],
  ...hostPorts.nodePorts.map(({ port, nodePort }) => [port, `NodePort ${nodePort}`] as const),
  ...(hostPorts.services ?? []).map(({ port, address }) => [port, `service ${address}`] as const),
];

/** What a node does that its name does not tell. */
const furtherRoles = ({ roles }: NodePlan): readonly Role[] =>
  roles.filter((role) => role !== primaryRole(roles) && role !== "etcd");

/** What the gateway does besides. */
const gatewayTexts = (plan: DataCenterPlan): readonly string[] => [
  ...(witnessOf(plan) ? [" + etcd (witness)"] : []),
  ...nodesOf(plan, "gateway")
    .flatMap(furtherRoles)
    .map((role) => ` + ${role}`),
];

const gatewayHasFloatingIp = (plan: DataCenterPlan): boolean =>
  nodesOf(plan, "balancer").some(({ roles }) => roles.includes("gateway"));

const segmentOfMasters = (plan: DataCenterPlan) => nodesOf(plan, "master")[0]?.interfaces[0]?.segment;

/** The members of etcd where the gateway is one of them. */
const ringOf = (plan: DataCenterPlan): readonly string[] => nodesOf(plan, "etcd").map(({ name }) => name);

/** A segment without machines is left out, unless the gateway has the floating IP there. */
const segmentsWithMachines = (plan: DataCenterPlan): readonly SegmentPlan[] =>
  plan.segments.filter(
    (segment) =>
      nodesIn(plan, segment).length > 0 || (segment.name === floatingIpSegment && gatewayHasFloatingIp(plan)),
  );

function renderText(plan: DataCenterPlan): string {
  const { uplink } = plan;
  const segments = segmentsWithMachines(plan);
  return [
    `${plan.domain}  ${plan.cidr}`,
    ...(plan.addOns.length > 0 ? [`with ${plan.addOns.map((name) => addOns[name].title).join(", ")}`] : []),
    "",
    `this host    ${hostPortsOf(plan)
      .map(([port, leadsTo]) => `127.0.0.1:${port} = ${leadsTo}`)
      .join(", ")}`,
    "  │",
    [`gateway      uplink ${uplink.address}`, ...gatewayTexts(plan)].join(" "),
    ...segments.flatMap((segment, position) => textOfSegment(plan, segment, position === segments.length - 1)),
    "",
  ].join("\n");
}

function textOfSegment(plan: DataCenterPlan, segment: SegmentPlan, last: boolean): readonly string[] {
  const leaves = nodesIn(plan, segment).map((node) =>
    [node.name.padEnd(12), node.address, ...furtherRoles(node).map((role) => ` + ${role}`)].join(" "),
  );
  if (witnessOf(plan) && segment.name === segmentOfMasters(plan))
    leaves.push(`${"etcd".padEnd(12)} ${ringOf(plan).join(", ")}`);
  if (segment.name === floatingIpSegment)
    leaves.push(
      `${"floating IP".padEnd(12)} ${floatingAddress(plan)} → ${gatewayHasFloatingIp(plan) ? "gateway" : "masters"}`,
    );
  if (segment.name === "masters" && etcdMachinesOf(plan).length > 0) leaves.push(`${"API servers".padEnd(12)} → etcd`);
  if (segment.name === announcingSegment(plan)) leaves.push(`${"services".padEnd(12)} ${plan.serviceAddresses}`);
  return [
    "  │",
    `  ${last ? "└" : "├"}─ ${segment.name.padEnd(9)} ${segment.cidr}`,
    ...leaves.map((leaf, at) => `  ${last ? " " : "│"}    ${at === leaves.length - 1 ? "└" : "├"}─ ${leaf}`),
  ];
}

function renderMermaid(plan: DataCenterPlan): string {
  const { uplink } = plan;
  const masters = plan.nodes.filter((node) => node.roles.includes("master")).map((node) => identifier(node.name));
  const balancers = plan.nodes.filter((node) => node.roles.includes("balancer")).map((node) => identifier(node.name));
  return [
    "flowchart TB",
    `  host["${["this host", ...hostPortsOf(plan).map(([port, leadsTo]) => `${leadsTo} 127.0.0.1:${port}`)].join("<br/>")}"] --> gateway`,
    `  gateway["${["gateway", uplink.address, ...gatewayTexts(plan).map((text) => text.trim())].join("<br/>")}"]`,
    ...segmentsWithMachines(plan).flatMap((segment) => mermaidOfSegment(plan, segment)),
    "  gateway --> floating_ip",
    `  floating_ip -.-> ${balancers.join(" & ")}`,
    // A machine that is both forwards to itself, too.
    ...(balancers.some((name) => masters.includes(name))
      ? []
      : [`  ${balancers.join(" & ")} --> ${masters.join(" & ")}`]),
    ...mermaidOfEtcd(plan, masters),
    ...segmentsWithMachines(plan)
      .filter((segment) => segment.name !== floatingIpSegment)
      .map((segment) => `  gateway --- ${segment.name}`),
    "",
  ].join("\n");
}

/** API servers reach every member, and the members form a ring. */
function mermaidOfEtcd(plan: DataCenterPlan, masters: readonly string[]): readonly string[] {
  if (witnessOf(plan)) return [`  ${[...ringOf(plan), ringOf(plan)[0] ?? ""].map(identifier).join(" --- ")}`];
  const members = etcdMachinesOf(plan).map(({ name }) => identifier(name));
  if (members.length === 0) return [];
  const ring = members.length > 2 ? [...members, members[0]] : members;
  return [
    `  ${masters.join(" & ")} --> ${members.join(" & ")}`,
    ...(members.length > 1 ? [`  ${ring.join(" --- ")}`] : []),
  ];
}

function mermaidOfSegment(plan: DataCenterPlan, segment: SegmentPlan): readonly string[] {
  const nodes = nodesIn(plan, segment).map(
    (node) =>
      `    ${identifier(node.name)}["${[node.name, node.address, ...furtherRoles(node).map((role) => `+ ${role}`)].join("<br/>")}"]`,
  );
  if (segment.name === floatingIpSegment)
    nodes.unshift(`    floating_ip(["floating IP<br/>${floatingAddress(plan)}"])`);
  if (segment.name === announcingSegment(plan)) nodes.push(`    services(["services<br/>${plan.serviceAddresses}"])`);
  return [`  subgraph ${segment.name}["${segment.name} ${segment.cidr}"]`, ...nodes, "  end"];
}

/** Mermaid reads a dash in a name as the start of an arrow. */
const identifier = (name: string): string => name.replaceAll("-", "_");
