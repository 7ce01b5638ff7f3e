import { metallbNamespace as namespace } from "../../../../model/cluster-namespaces";
import type { ClusterObject } from "../../../../model/cluster-object";
import type { DataCenterPlan } from "../../../../stacks/plan/data-center-plan";
import { announcingSegment } from "../../../../stacks/plan/plan-add-ons";

const group = "metallb.io";
const labels = { app: "metallb" };

interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  /** The one that is stored comes first. */
  readonly versions: readonly string[];
}

const kind = (name: string, plural: string, versions: readonly string[] = ["v1beta1"]): Kind => ({
  ...{ kind: name, plural, versions },
  singular: name.toLowerCase(),
});

/** All that its programs watch. A program of MetalLB does not start without one of them, also if nothing uses it. */
const kinds: readonly Kind[] = [
  kind("IPAddressPool", "ipaddresspools"),
  kind("L2Advertisement", "l2advertisements"),
  kind("ServiceL2Status", "servicel2statuses"),
  kind("ConfigurationState", "configurationstates"),
  kind("BGPPeer", "bgppeers", ["v1beta2", "v1beta1"]),
  kind("BGPAdvertisement", "bgpadvertisements"),
  kind("BFDProfile", "bfdprofiles"),
  kind("Community", "communities"),
  kind("ServiceBGPStatus", "servicebgpstatuses"),
];

const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };

/** MetalLB itself checks what is in them, and reports it in a ConfigurationState. */
const definition = ({ kind: name, plural, singular, versions }: Kind): ClusterObject => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${plural}.${group}`, labels },
  spec: {
    group,
    names: { kind: name, listKind: `${name}List`, plural, singular },
    scope: "Namespaced",
    versions: versions.map((version, index) => ({
      name: version,
      served: true,
      storage: index === 0,
      schema: { openAPIV3Schema: { type: "object", properties: { spec: anything, status: anything } } },
      subresources: { status: {} },
    })),
  },
});

export const metallbDefinitions: readonly ClusterObject[] = kinds.map(definition);

const planned = "planned";

/** The planned addresses, which only nodes of one segment answer for, and only there. */
export const plannedAddresses = (plan: DataCenterPlan): readonly ClusterObject[] => [
  {
    apiVersion: `${group}/v1beta1`,
    kind: "IPAddressPool",
    metadata: { name: planned, namespace, labels },
    // The first and the last one look like those of a network and of its broadcasts.
    spec: { addresses: [plan.serviceAddresses], avoidBuggyIPs: true },
  },
  {
    apiVersion: `${group}/v1beta1`,
    kind: "L2Advertisement",
    metadata: { name: planned, namespace, labels },
    spec: { ipAddressPools: [planned], interfaces: [announcingSegment(plan)] },
  },
];
