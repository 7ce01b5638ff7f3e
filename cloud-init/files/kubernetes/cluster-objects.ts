import { type ClusterObject, clusterObjectName } from "../../../model/cluster-object";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { storageBackend } from "../../planned-storage";
import { approverObjects } from "./approver-objects";
import { coreDnsObjects } from "./core-dns";
import { flannelObjects } from "./flannel-objects";
import { kubeProxyObjects } from "./kube-proxy";
import { clusterInfo, kubeadmObjects } from "./kubeadm-objects";
import { networkPolicyObjects } from "./network-policy-objects";

/**
 * The data centre's own objects in the cluster. An object that a release drops here is deleted in the cluster by the next
 * `up`.
 */
export const clusterObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  ...kubeadmObjects(plan),
  ...approverObjects,
  ...kubeProxyObjects(plan),
  ...flannelObjects(plan),
  ...networkPolicyObjects(plan),
  ...coreDnsObjects(plan),
  ...(storageBackend(plan)?.objects(plan) ?? []),
];

/** All of them: one depends on the certificate of the cluster's authority (PEM), which is made with the stack. */
export const allClusterObjects = (plan: DataCenterPlan, certificateAuthority: string): readonly ClusterObject[] => [
  ...clusterObjects(plan),
  clusterInfo(plan, certificateAuthority),
];

export const clusterInfoName = (plan: DataCenterPlan): string => clusterObjectName(clusterInfo(plan, ""));
