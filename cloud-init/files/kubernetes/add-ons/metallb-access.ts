import { metallbNamespace as namespace } from "../../../../model/cluster-namespaces";
import type { ClusterObject } from "../../../../model/cluster-object";
import { type AccessRule, role, roleBinding, serviceAccount } from "../access-rules";

const labels = { app: "metallb" };
const own = "metallb.io";
const read = ["get", "list", "watch"];
const write = [...read, "create", "update", "patch", "delete"];

const services: AccessRule = { apiGroups: [""], resources: ["services", "namespaces", "nodes"], verbs: read };
const events: AccessRule = { apiGroups: [""], resources: ["events"], verbs: ["create", "patch"] };
const states: AccessRule = {
  apiGroups: [own],
  resources: ["configurationstates", "configurationstates/status"],
  verbs: write,
};

/** In its own namespace. The speakers' key is a Secret there, which the controller creates. */
const inNamespace: readonly AccessRule[] = [
  { apiGroups: [""], resources: ["pods", "secrets", "configmaps"], verbs: read },
  {
    apiGroups: [own],
    resources: ["ipaddresspools", "l2advertisements", "bgppeers", "bgpadvertisements", "bfdprofiles", "communities"],
    verbs: read,
  },
  { apiGroups: [own], resources: ["servicebgpstatuses", "servicebgpstatuses/status"], verbs: write },
];

const ofController: readonly AccessRule[] = [
  { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
  { apiGroups: ["apps"], resources: ["deployments"], resourceNames: ["controller"], verbs: ["get"] },
  { apiGroups: [own], resources: ["ipaddresspools/status"], verbs: ["update", "patch"] },
];

/** By service account: its rules in the whole cluster, and those in the namespace. */
const accounts: readonly (readonly [string, readonly AccessRule[], readonly AccessRule[]])[] = [
  [
    "controller",
    [services, events, states, { apiGroups: [""], resources: ["services/status"], verbs: ["update", "patch"] }],
    [...inNamespace, ...ofController],
  ],
  [
    "speaker",
    [
      ...[services, events, states],
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: read },
      { apiGroups: [own], resources: ["servicel2statuses", "servicel2statuses/status"], verbs: write },
    ],
    inNamespace,
  ],
];

export const metallbAccess: readonly ClusterObject[] = accounts.flatMap(([name, inCluster, there]) => {
  const subject = { kind: "ServiceAccount", name, namespace } as const;
  const ofCluster = `${namespace}:${name}`;
  return [
    serviceAccount({ name, namespace, labels }),
    role({ name: ofCluster, labels }, inCluster),
    roleBinding({ name: ofCluster, labels }, ofCluster, [subject]),
    role({ name, namespace, labels }, there),
    roleBinding({ name, namespace, labels }, name, [subject]),
  ];
});
