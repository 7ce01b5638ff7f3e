import { type Balancer, balancers } from "../../model/balancers";
import { floatingIpSegment } from "../../model/segments";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { type ClusterMember, clusterMembers } from "./cluster-members";
import { element, emitXml, type XmlElement } from "./xml";

/** Our own agent (cloud-init/scripts/balancer/floating-ip.sh): the standard one needs 80 ms to start and to stop. */
export const floatingIpAgent = { provider: "groundplane", type: "floating-ip" } as const;

const floatingIp = "floating-ip";

/**
 * Pacemaker's complete configuration before its first start, equal on every member; no later commands are needed. A rebuilt
 * member starts from it as well: the running cluster's configuration is newer and wins.
 */
export function renderPacemakerCib(plan: DataCenterPlan): string {
  const members = clusterMembers(plan);
  const balancer = balancers[plan.balancing.program];
  const cib = element(
    "cib",
    {
      // The schema of the oldest supported Pacemaker, in Ubuntu 24.04; newer versions upgrade the first value themselves.
      crm_feature_set: "3.17.4",
      "validate-with": "pacemaker-3.9",
      admin_epoch: "0",
      epoch: "1",
      num_updates: "0",
    },
    element(
      "configuration",
      {},
      element("crm_config", {}, element("cluster_property_set", { id: "cluster" }, ...clusterProperties())),
      element("nodes", {}, ...members.map(memberElement)),
      element("resources", {}, balancerElement(balancer), floatingIpElement(plan)),
      element("constraints", {}, ...constraints(members, balancer)),
      element("rsc_defaults", {}, element("meta_attributes", { id: "defaults" }, ...resourceDefaults())),
    ),
    element("status"),
  );
  return `<?xml version="1.0"?>\n${emitXml(cib)}`;
}

/** Quorum is the only protection: members have no data, so the worst case is a duplicate address. */
const clusterProperties = (): XmlElement[] =>
  pairs("cluster", {
    "stonith-enabled": "false",
    "no-quorum-policy": "stop",
    // Members that start at the same time need not wait 20 s for each other.
    "dc-deadtime": "1s",
    // How long an action's result may be late beyond the action's own timeout. Results are lost when members leave and join
    // while all machines boot, and nothing starts until then: with the default of a minute, the API was away for 104 s after
    // everything had been stopped.
    "cluster-delay": "10s",
    // The delay of the scheduler after the last event. Without it, the controller finds its own updates pending and sleeps a
    // full second before it retries; they take 210 ms, because messages that are sent while Corosync forms a new membership are
    // retried only then.
    "transition-delay": "220ms",
    // A failed start counts towards the threshold below like any other failure.
    "start-failure-is-fatal": "false",
  });

/** Three failures move a resource; after a minute without failures it may return. Otherwise it stays. */
const resourceDefaults = (): XmlElement[] =>
  pairs("defaults", { "resource-stickiness": "100", "migration-threshold": "3", "failure-timeout": "60s" });

function memberElement({ name, nodeId, standby }: ClusterMember): XmlElement {
  const id = `member-${nodeId}`;
  const attributes = standby ? [element("instance_attributes", { id }, ...pairs(id, { standby: "on" }))] : [];
  return element("node", { id: String(nodeId), uname: name }, ...attributes);
}

/** On both balancers at all times, so that the floating IP never waits for a program to start. */
const balancerElement = ({ unit }: Balancer): XmlElement =>
  element(
    "clone",
    { id: cloneOf(unit) },
    element("meta_attributes", { id: `${unit}-clone-meta` }, ...pairs(`${unit}-clone-meta`, { interleave: "true" })),
    element(
      "primitive",
      { id: unit, class: "systemd", type: unit },
      element(
        "operations",
        {},
        probe(unit, "10s"),
        operation(unit, "monitor", "3s", "20s"),
        operation(unit, "start", "0s", "20s"),
      ),
    ),
  );

/** change-balancing replaces the unit's name in the ids and attributes of a running cluster. */
const cloneOf = (unit: string): string => `${unit}-clone`;

const floatingIpElement = ({ balancing }: DataCenterPlan): XmlElement =>
  element(
    "primitive",
    { id: floatingIp, class: "ocf", provider: floatingIpAgent.provider, type: floatingIpAgent.type },
    element(
      "instance_attributes",
      { id: "floating-ip-address" },
      ...pairs("floating-ip-address", {
        address: `${balancing.floatingIp}/${balancing.prefixLength}`,
        interface: floatingIpSegment,
      }),
    ),
    element("operations", {}, probe(floatingIp, "5s"), operation(floatingIp, "monitor", "5s", "10s")),
  );

const operation = (resource: string, name: string, interval: string, timeout: string, id = name): XmlElement =>
  element("op", { id: `${resource}-${id}`, name, interval, timeout });

/** The first question about a resource on a member. A member whose answer is lost delays all others for this time. */
const probe = (resource: string, timeout: string): XmlElement => operation(resource, "monitor", "0s", timeout, "probe");

/** Never on a standby member, where it is not even probed; the floating IP only together with the balancer's program. */
const constraints = (members: readonly ClusterMember[], { unit }: Balancer): XmlElement[] => [
  ...members
    .filter(({ standby }) => standby)
    .flatMap(({ name }) => [cloneOf(unit), floatingIp].map((resource) => neverOn(resource, name))),
  element("rsc_colocation", {
    id: `floating-ip-with-${unit}`,
    rsc: floatingIp,
    "with-rsc": cloneOf(unit),
    score: "INFINITY",
  }),
  element("rsc_order", {
    id: `${unit}-then-floating-ip`,
    first: cloneOf(unit),
    // biome-ignore lint/suspicious/noThenProperty: Pacemaker's own name
    then: floatingIp,
    kind: "Mandatory",
  }),
];

const neverOn = (resource: string, node: string): XmlElement =>
  element("rsc_location", {
    id: `${resource}-not-on-${node}`,
    rsc: resource,
    node,
    score: "-INFINITY",
    "resource-discovery": "never",
  });

const pairs = (owner: string, values: Readonly<Record<string, string>>): XmlElement[] =>
  Object.entries(values).map(([name, value]) => element("nvpair", { id: `${owner}-${name}`, name, value }));
