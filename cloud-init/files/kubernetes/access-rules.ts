import type { ClusterObject } from "../../../model/cluster-object";

const group = "rbac.authorization.k8s.io";
const apiVersion = `${group}/v1`;

export interface AccessRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

export type Subject =
  | { readonly kind: "ServiceAccount"; readonly name: string; readonly namespace: string }
  | { readonly kind: "User" | "Group"; readonly name: string };

/** A role with a namespace, or a cluster role. */
export const role = (metadata: ClusterObject["metadata"], rules: readonly AccessRule[]): ClusterObject => ({
  apiVersion,
  kind: metadata.namespace === undefined ? "ClusterRole" : "Role",
  metadata,
  rules,
});

/** Binds subjects to a role of the binding's own namespace or, without one, to a cluster role. */
export function roleBinding(
  metadata: ClusterObject["metadata"],
  roleName: string,
  subjects: readonly Subject[],
): ClusterObject {
  const isForCluster = metadata.namespace === undefined;
  return {
    apiVersion,
    kind: isForCluster ? "ClusterRoleBinding" : "RoleBinding",
    metadata,
    roleRef: { apiGroup: group, kind: isForCluster ? "ClusterRole" : "Role", name: roleName },
    subjects,
  };
}

export const serviceAccount = (metadata: ClusterObject["metadata"]): ClusterObject => ({
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata,
});
