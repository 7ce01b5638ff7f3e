import type { Flow, FlowParty } from "../../model/flows";
import { podBridge, podTunnel } from "../../model/pod-network";
import { isClusterNode, type Role } from "../../model/roles";
import { type DataCenterPlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { confValue } from "../quoting";

/** The additional rules of a gateway that is a Node of the cluster. */
export interface OwnRules {
  /** What reaches the gateway itself. */
  readonly input: readonly string[];
  /** What its pods reach, and what reaches them. */
  readonly forward: readonly string[];
  /** What the gateway itself reaches through services of the cluster. */
  readonly output: readonly string[];
  /** Interfaces of pods, with the rights of a machine in a segment towards the world. */
  readonly pods: readonly string[];
}

interface Rendering {
  readonly flows: readonly Flow[];
  /** The match of the segments' interfaces. */
  readonly interfaces: string;
  /** Drop forged addresses. */
  readonly sourceRules: readonly string[];
}

/**
 * The same flows as between machines: packets to the gateway's own roles do not pass its chain `forward`, and its pods do not have its
 * address there. Its pod filter closes management before.
 */
export function ownRules(plan: DataCenterPlan, { flows, interfaces, sourceRules }: Rendering): OwnRules {
  const roles = nodesOf(plan, "gateway").flatMap(({ roles: set }) => set);
  if (!isClusterNode(roles)) return { input: [], forward: [], output: [], pods: [] };
  const own = partiesOf(roles);
  const ends = flows.flatMap((flow) => flow.from.flatMap((from) => flow.to.map((to) => ({ from, to, flow }))));
  const pods = `{ "${podBridge}", "${podTunnel}" }`;
  const arriving = ends.filter(({ to }) => own.includes(to));
  // Other machines may have the gateway's roles, too. The pod filter closes storage machines to pods.
  const leaving = ends.filter(({ from, to }) => own.includes(from) && to !== "storage");
  return {
    input: [
      'iifname "uplink" ct status dnat accept comment "from the host"',
      ...sourceRules,
      ...arriving.map(({ from, to, flow }) =>
        accept(flow, `iifname ${interfaces} ip saddr @${from} ip daddr @${to} ${flow.protocol} dport`),
      ),
      `iifname "${podBridge}" ip saddr ${confValue(plan.kubernetes.podCidr)} accept comment "pods"`,
    ],
    forward: distinct([
      `iifname ${pods} oifname ${pods} accept comment "pod network"`,
      ...leaving.map(({ to, flow }) => accept(flow, `iifname "${podBridge}" ip daddr @${to} ${flow.protocol} dport`)),
      // To a NodePort, which kube-proxy has translated already.
      ...arriving.map(({ from, to, flow }) =>
        accept(
          flow,
          `iifname ${interfaces} oifname != "uplink" ip saddr @${from} ct status dnat ct original ip daddr @${to} ` +
            `meta l4proto ${flow.protocol} ct original proto-dst`,
        ),
      ),
    ]),
    // To the service's address, the packet was routed to the uplink, and its rules still see that interface after the translation.
    output: [
      `ct status dnat ip daddr { ${[plan.kubernetes.podCidr, plan.cidr].map(confValue).join(", ")} } accept comment "services"`,
    ],
    pods: [podBridge],
  };
}

const accept = ({ ports, purpose }: Flow, match: string): string =>
  `${match} { ${ports.map(confValue).join(", ")} } accept comment "${purpose}"`;

const distinct = (rules: readonly string[]): readonly string[] => [...new Set(rules)];

const isParty: Readonly<Record<Role, readonly FlowParty[]>> = {
  gateway: [],
  balancer: ["balancer", "api"],
  master: ["master"],
  // Its ports are open to members on other machines only.
  etcd: [],
  worker: ["worker"],
  storage: ["storage"],
};

const partiesOf = (roles: readonly Role[]): readonly FlowParty[] => roles.flatMap((role) => isParty[role]);
