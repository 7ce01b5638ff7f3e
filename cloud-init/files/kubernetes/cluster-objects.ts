import { type ClusterObject, clusterObjectName } from "../../../model/cluster-object";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { storageBackend } from "../../planned-storage";
import { objectsOfAddOns } from "./add-ons/add-on-objects";
import { approverObjects } from "./approver-objects";
import { coreDnsObjects } from "./core-dns";
import { flannelObjects } from "./flannel-objects";
import { kubeProxyObjects } from "./kube-proxy";
import { clusterInfo, kubeadmObjects } from "./kubeadm-objects";
import { networkPolicyObjects } from "./network-policy-objects";

/** What nodes need to join. In an upgrade they precede the nodes, which join by the configuration of their own release. */
export const joinObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  ...kubeadmObjects(plan),
  ...approverObjects,
];

/** Their pods run from images that the nodes have. In an upgrade they follow the nodes. */
export const addOnObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  ...kubeProxyObjects(plan),
  ...flannelObjects(plan),
  ...networkPolicyObjects(plan),
  ...coreDnsObjects(plan),
  ...(storageBackend(plan)?.objects(plan) ?? []),
];

/** The same, and the add-ons that the configuration names: pods of these run when their images are on the nodes. */
export const laterObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  ...addOnObjects(plan),
  ...objectsOfAddOns(plan),
];

/**
 * The data centre's own objects in the cluster. An object that a release drops here is deleted in the cluster by the next
 * `up`.
 */
export const clusterObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  ...joinObjects(plan),
  ...laterObjects(plan),
];

/** All of them: one depends on the certificate of the cluster's authority (PEM), which is made with the stack. */
export const allClusterObjects = (plan: DataCenterPlan, certificateAuthority: string): readonly ClusterObject[] => [
  ...clusterObjects(plan),
  clusterInfo(plan, certificateAuthority),
];

export const clusterInfoName = (plan: DataCenterPlan): string => clusterObjectName(clusterInfo(plan, ""));
