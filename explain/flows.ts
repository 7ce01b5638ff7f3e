import type { Explained, FlowParty } from "../model/flows";
import { backupFlows, closedToPods, gatewayServices, interSegmentFlows, serviceFlow } from "../model/flows";
import { guestPaths } from "../model/guest-paths";
import type { Role } from "../model/roles";
import { type DataCenterPlan, nodesOf } from "../stacks/plan/data-center-plan";
import { type Explanation, filled } from "./explanation";
import { listed, onNode, type PlacedFile, type Subject } from "./subject";

/** A row of the tables of flows, in one form. */
export interface FlowRow extends Explained {
  readonly purpose: string;
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly by: string;
  readonly isOpen: boolean;
  /** What a stack without a rule for it lacks. Default: machines. */
  readonly needs?: string;
}

const between = [...interSegmentFlows, ...backupFlows].map(
  ({ name, why, purpose, from, to, protocol, ports }): FlowRow => ({
    ...{ name, why, purpose, from, to, isOpen: true },
    by: `${protocol} ${ports.join(", ")}`,
  }),
);

const sourceOf = { segments: ["every machine"], uplink: ["this host"], balancers: ["balancer"], masters: ["master"] };

const toGateway = gatewayServices.map(
  ({ name, why, purpose, from, protocol, port }): FlowRow => ({
    ...{ name, why, purpose, from: sourceOf[from], to: ["gateway"], isOpen: true },
    by: `${protocol} ${port}`,
  }),
);

const closed = closedToPods.map(
  ({ name, why, purpose, protocol, ports }): FlowRow => ({
    ...{ name, why, purpose, from: ["pods"], to: ["every machine"], isOpen: false },
    by: `${protocol} ${ports.join(", ")}`,
  }),
);

const allPorts = "all ports";

const toServices: FlowRow = {
  ...{ ...serviceFlow, from: sourceOf.segments, to: ["service addresses"], by: allPorts, isOpen: true },
  needs: "the add-on MetalLB",
};

export const flowRows: readonly FlowRow[] = [...between, ...toGateway, toServices, ...closed];

/** The flows that begin or end at a role. */
export const flowsOfRole = (role: Role): readonly FlowRow[] =>
  [...between, ...toGateway, toServices].filter(({ from, to }) =>
    [...from, ...to].some((party) => includesRole(party, role)),
  );

const includesRole = (party: string, role: Role): boolean =>
  party === role || (party === "api" && role === "balancer") || (party === "every machine" && role !== "gateway");

/** e.g. `master (192.168.57.11, 192.168.57.12)` */
function describeParty(plan: DataCenterPlan, party: string): string {
  if (party === "api")
    return `the API: floating IP ${plan.balancing.floatingIp} and ${describeParty(plan, "balancer")}`;
  if (party === "service addresses") return `${party} (${plan.serviceAddresses})`;
  const nodes = ["balancer", "master", "etcd", "worker", "storage", "gateway"].includes(party)
    ? nodesOf(plan, party as Exclude<FlowParty, "api">)
    : [];
  if (party === "gateway")
    return `gateway (${nodes.map(({ interfaces }) => interfaces.map(({ address }) => address).join(", ")).join(", ")})`;
  return nodes.length === 0 ? party : `${party} (${listed(nodes.map(({ address }) => address))})`;
}

const parties = (plan: DataCenterPlan, names: readonly string[]): string =>
  names.map((name) => describeParty(plan, name)).join(", ");

/** The file that has the rule. */
const ruleFileOf = ({ isOpen }: FlowRow): string => (isOpen ? "/etc/nftables.conf" : guestPaths.podFilter);

function rulesOf(
  { files }: Subject,
  row: FlowRow,
): { readonly placed?: PlacedFile; readonly lines: readonly string[] } {
  const placed = files.find(({ file }) => file.path === ruleFileOf(row));
  const text = placed && "content" in placed.file ? placed.file.content : "";
  const [protocol, first = ""] = row.by.split(" ");
  const lines = text.split("\n").filter((line) => {
    const isOurs = line.includes(`comment "${row.purpose}"`);
    const isFrom = !line.includes("ip saddr @") || row.from.some((from) => line.includes(`ip saddr @${from} `));
    const isBy = line.includes(`${protocol} dport`) && line.includes(first.replace(/,$/, ""));
    return isOurs && isFrom && (isBy || row.by === allPorts);
  });
  return { ...(placed && { placed }), lines: lines.map((line) => line.trim()) };
}

/** Whether the stack has the machines for it. */
export const isPlanned = (subject: Subject, row: FlowRow): boolean => rulesOf(subject, row).lines.length > 0;

export function explainFlow(subject: Subject, row: FlowRow): Explanation {
  const { plan } = subject;
  const { placed, lines } = rulesOf(subject, row);
  const present = placed !== undefined && lines.length > 0;
  const table = row.isOpen ? "table inet groundplane" : "table inet groundplane_pods";
  return {
    kind: "flow",
    name: row.name,
    is: `${row.isOpen ? "May pass" : "Is refused"}: ${row.purpose}, ${row.by}.`,
    why: row.why,
    sections: filled([
      {
        title: "From and to",
        rows: [
          ["from", parties(plan, row.from)],
          ["to", parties(plan, row.to)],
          ["by", row.by],
        ],
      },
      present
        ? { title: `The rule, in ${placed.node.name}:${placed.file.path}`, parts: [{ lines }] }
        : { title: "The rule", text: `This stack has none: it does not have ${row.needs ?? "the machines"}.` },
      present ? { title: "See it", commands: [onNode(subject, placed.node.name, `nft list ${table}`)] } : undefined,
    ]),
  };
}
