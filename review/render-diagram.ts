import { floatingIpSegment } from "../model/segments";
import { type DataCenterPlan, etcdMachinesOf, type NodePlan, type SegmentPlan } from "../stacks/plan/data-center-plan";

export const diagramFormats = ["text", "mermaid"] as const;
export type DiagramFormat = (typeof diagramFormats)[number];

/** The topology of a data centre as a diagram; the same plan always gives the same text. */
export function renderDiagram(plan: DataCenterPlan, format: DiagramFormat): string {
  return format === "mermaid" ? renderMermaid(plan) : renderText(plan);
}

const nodesIn = (plan: DataCenterPlan, segment: SegmentPlan): readonly NodePlan[] =>
  plan.nodes.filter((node) => !node.roles.includes("gateway") && node.interfaces[0]?.segment === segment.name);

const floatingAddress = ({ balancing }: DataCenterPlan): string => `${balancing.floatingIp}:${balancing.port}`;

/** A segment without machines is left out. */
const segmentsWithMachines = (plan: DataCenterPlan): readonly SegmentPlan[] =>
  plan.segments.filter((segment) => nodesIn(plan, segment).length > 0);

function renderText(plan: DataCenterPlan): string {
  const { hostPorts, uplink } = plan;
  const segments = segmentsWithMachines(plan);
  return [
    `${plan.domain}  ${plan.cidr}`,
    "",
    `this host    127.0.0.1:${hostPorts.api} = API, 127.0.0.1:${hostPorts.ssh} = SSH`,
    "  │",
    `gateway      uplink ${uplink.address}`,
    ...segments.flatMap((segment, position) => textOfSegment(plan, segment, position === segments.length - 1)),
    "",
  ].join("\n");
}

function textOfSegment(plan: DataCenterPlan, segment: SegmentPlan, last: boolean): readonly string[] {
  const leaves = nodesIn(plan, segment).map((node) => `${node.name.padEnd(12)} ${node.address}`);
  if (segment.name === floatingIpSegment) leaves.push(`${"floating IP".padEnd(12)} ${floatingAddress(plan)} → masters`);
  if (segment.name === "masters" && etcdMachinesOf(plan).length > 0) leaves.push(`${"API servers".padEnd(12)} → etcd`);
  return [
    "  │",
    `  ${last ? "└" : "├"}─ ${segment.name.padEnd(9)} ${segment.cidr}`,
    ...leaves.map((leaf, at) => `  ${last ? " " : "│"}    ${at === leaves.length - 1 ? "└" : "├"}─ ${leaf}`),
  ];
}

function renderMermaid(plan: DataCenterPlan): string {
  const { hostPorts, uplink } = plan;
  const masters = plan.nodes.filter((node) => node.roles.includes("master")).map((node) => identifier(node.name));
  const balancers = plan.nodes.filter((node) => node.roles.includes("balancer")).map((node) => identifier(node.name));
  return [
    "flowchart TB",
    `  host["this host<br/>API 127.0.0.1:${hostPorts.api}<br/>SSH 127.0.0.1:${hostPorts.ssh}"] --> gateway`,
    `  gateway["gateway<br/>${uplink.address}"]`,
    ...segmentsWithMachines(plan).flatMap((segment) => mermaidOfSegment(plan, segment)),
    "  gateway --> floating_ip",
    `  floating_ip -.-> ${balancers.join(" & ")}`,
    `  ${balancers.join(" & ")} --> ${masters.join(" & ")}`,
    ...mermaidOfEtcd(plan, masters),
    ...segmentsWithMachines(plan)
      .filter((segment) => segment.name !== floatingIpSegment)
      .map((segment) => `  gateway --- ${segment.name}`),
    "",
  ].join("\n");
}

/** API servers reach every member, and the members form a ring. */
function mermaidOfEtcd(plan: DataCenterPlan, masters: readonly string[]): readonly string[] {
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
    (node) => `    ${identifier(node.name)}["${node.name}<br/>${node.address}"]`,
  );
  if (segment.name === floatingIpSegment)
    nodes.unshift(`    floating_ip(["floating IP<br/>${floatingAddress(plan)}"])`);
  return [`  subgraph ${segment.name}["${segment.name} ${segment.cidr}"]`, ...nodes, "  end"];
}

/** Mermaid reads a dash in a name as the start of an arrow. */
const identifier = (name: string): string => name.replaceAll("-", "_");
