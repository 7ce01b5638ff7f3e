/** Kubernetes objects that belong to the data centre itself. */

export interface ClusterObject {
  readonly apiVersion: string;
  readonly kind: ClusterKind;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

interface KindRow {
  /** The name of the collection in the API. */
  readonly plural: string;
  /** Objects of a lower wave are applied first, and removed last. */
  readonly wave: 0 | 1 | 2;
}

/** No Secret: the state and previews show the objects. */
export const clusterKinds = {
  Namespace: { plural: "namespaces", wave: 0 },
  CustomResourceDefinition: { plural: "customresourcedefinitions", wave: 0 },
  ServiceAccount: { plural: "serviceaccounts", wave: 1 },
  ConfigMap: { plural: "configmaps", wave: 1 },
  Service: { plural: "services", wave: 1 },
  ClusterRole: { plural: "clusterroles", wave: 1 },
  ClusterRoleBinding: { plural: "clusterrolebindings", wave: 1 },
  Role: { plural: "roles", wave: 1 },
  RoleBinding: { plural: "rolebindings", wave: 1 },
  StorageClass: { plural: "storageclasses", wave: 1 },
  PersistentVolumeClaim: { plural: "persistentvolumeclaims", wave: 1 },
  APIService: { plural: "apiservices", wave: 1 },
  // Of MetalLB.
  IPAddressPool: { plural: "ipaddresspools", wave: 1 },
  L2Advertisement: { plural: "l2advertisements", wave: 1 },
  DaemonSet: { plural: "daemonsets", wave: 2 },
  Deployment: { plural: "deployments", wave: 2 },
} as const satisfies Readonly<Record<string, KindRow>>;

export type ClusterKind = keyof typeof clusterKinds;

export const isClusterKind = (kind: unknown): kind is ClusterKind =>
  typeof kind === "string" && Object.hasOwn(clusterKinds, kind);

/** Joining nodes wait for `cluster-info`, and then need their access rules at once. */
export const waveOf = ({ kind, metadata }: ClusterObject): number =>
  metadata.namespace === "kube-public" && kind === "ConfigMap" ? 2 : clusterKinds[kind].wave;

/** Names an object for people and in the state, e.g. `DaemonSet kube-system/kube-proxy`. */
export function clusterObjectName({ kind, metadata: { namespace, name } }: ClusterObject): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** The object's path in the API. */
export function clusterObjectPath({ apiVersion, kind, metadata: { namespace, name } }: ClusterObject): string {
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return `${group}${place}/${clusterKinds[kind].plural}/${encodeURIComponent(name)}`;
}

/** @throws Error when two objects have one name: one of them would silently win. */
export function byName(objects: readonly ClusterObject[]): Readonly<Record<string, ClusterObject>> {
  const named: Record<string, ClusterObject> = {};
  for (const object of objects) {
    const name = clusterObjectName(object);
    if (named[name]) throw new Error(`the cluster objects contain ${name} twice`);
    named[name] = object;
  }
  return named;
}
