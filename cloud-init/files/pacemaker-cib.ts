import { floatingIpSegment } from "../../model/segments";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { type ClusterMember, clusterMembers } from "./cluster-members";
import { element, emitXml, type XmlElement } from "./xml";

/** Of our own (cloud-init/scripts/balancer/floating-ip.sh): the common one needs 80 ms to start, and as long to stop. */
export const floatingIpAgent = { provider: "groundplane", type: "floating-ip" } as const;

const haproxyClone = "haproxy-clone";
const floatingIp = "floating-ip";

/**
 * Pacemaker's whole configuration as it is before its first start, the same on every member; no shell has to be told
 * anything later. A rebuilt member starts from it too: the living cluster's is newer and wins.
 */
export function renderPacemakerCib(plan: DataCenterPlan): string {
  const members = clusterMembers(plan);
  const cib = element(
    "cib",
    {
      // What the oldest Pacemaker that reads it knows, that of Ubuntu 24.04; newer ones raise the first by themselves.
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
      element("resources", {}, haproxyElement(), floatingIpElement(plan)),
      element("constraints", {}, ...constraints(members)),
      element("rsc_defaults", {}, element("meta_attributes", { id: "defaults" }, ...resourceDefaults())),
    ),
    element("status"),
  );
  return `<?xml version="1.0"?>\n${emitXml(cib)}`;
}

/** Majority is the only guard: members hold no data, so the worst case is an address that is there twice. */
const clusterProperties = (): XmlElement[] =>
  pairs("cluster", {
    "stonith-enabled": "false",
    "no-quorum-policy": "stop",
    // Members that start together need not wait 20 s for each other.
    "dc-deadtime": "1s",
    // The scheduler is asked this long after the last event. Asked at once, the controller finds updates of its own still
    // under way and sleeps a whole second before it looks again; they take 210 ms, because messages sent while Corosync
    // settles a new membership are tried again only then.
    "transition-delay": "220ms",
    // A failed start counts towards the threshold below like any other failure.
    "start-failure-is-fatal": "false",
  });

/** Three failures move a resource away; a minute without one and it may come back. It stays where it is otherwise. */
const resourceDefaults = (): XmlElement[] =>
  pairs("defaults", { "resource-stickiness": "100", "migration-threshold": "3", "failure-timeout": "60s" });

function memberElement({ name, nodeId, standby }: ClusterMember): XmlElement {
  const id = `member-${nodeId}`;
  const attributes = standby ? [element("instance_attributes", { id }, ...pairs(id, { standby: "on" }))] : [];
  return element("node", { id: String(nodeId), uname: name }, ...attributes);
}

/** On both balancers at all times, so that the floating IP never waits for a proxy to start. */
const haproxyElement = (): XmlElement =>
  element(
    "clone",
    { id: haproxyClone },
    element("meta_attributes", { id: "haproxy-clone-meta" }, ...pairs("haproxy-clone-meta", { interleave: "true" })),
    element(
      "primitive",
      { id: "haproxy", class: "systemd", type: "haproxy" },
      element(
        "operations",
        {},
        operation("haproxy", "monitor", "3s", "20s"),
        operation("haproxy", "start", "0s", "20s"),
      ),
    ),
  );

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
    element("operations", {}, operation(floatingIp, "monitor", "5s", "10s")),
  );

const operation = (resource: string, name: string, interval: string, timeout: string): XmlElement =>
  element("op", { id: `${resource}-${name}`, name, interval, timeout });

/** Never on a member in standby, where it is not even looked for; the floating IP only where HAProxy runs. */
const constraints = (members: readonly ClusterMember[]): XmlElement[] => [
  ...members
    .filter(({ standby }) => standby)
    .flatMap(({ name }) => [haproxyClone, floatingIp].map((resource) => neverOn(resource, name))),
  element("rsc_colocation", {
    id: "floating-ip-with-haproxy",
    rsc: floatingIp,
    "with-rsc": haproxyClone,
    score: "INFINITY",
  }),
  // biome-ignore lint/suspicious/noThenProperty: Pacemaker's own name of it
  element("rsc_order", { id: "haproxy-then-floating-ip", first: haproxyClone, then: floatingIp, kind: "Mandatory" }),
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
