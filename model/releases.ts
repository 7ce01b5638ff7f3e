import { UserError } from "./user-error";

/**
 * One tested set of versions. A new release is a row here, and a folder below image/parts/source for each program whose
 * version changes. Recipes, sources, manifests, the configuration and the tests all read this table.
 */
export interface Release {
  /** The version of kubeadm's configuration that this release's kubeadm reads without a warning. */
  readonly kubeadmApi: string;
  readonly etcd: string;
  /** The tag that this release's kubeadm asks for; it counts builds of the image, too. */
  readonly etcdTag: string;
  readonly coredns: string;
  /** The one that this release's kubeadm asks for. The settings of the runtimes get it when an image is built. */
  readonly pause: string;
  readonly containerd: string;
  /** The version that containerd's release names in script/setup/runc-version. */
  readonly runc: string;
  readonly crictl: string;
  readonly criDockerd: string;
  readonly flannel: string;
  readonly localPathProvisioner: string;
  readonly kubeNetworkPolicies: string;
  /** Of the add-ons, which only some stacks have. */
  readonly metricsServer: string;
  readonly metallb: string;
  readonly registry: string;
  /** Whether its kubelet speaks WebSockets itself: it has the feature gate ExtendWebSocketsToKubelet. */
  readonly kubeletWebSockets: boolean;
}

/** What no release has a version of its own of. Each value moves to the rows when one of them needs another. */
const common = {
  kubeadmApi: "v1beta4",
  containerd: "2.3.7",
  runc: "1.5.2",
  crictl: "1.37.0",
  criDockerd: "0.4.4",
  flannel: "0.28.4",
  localPathProvisioner: "0.0.30",
  kubeNetworkPolicies: "0.8.0",
  metricsServer: "0.9.0",
  metallb: "0.16.1",
  registry: "3.1.2",
} as const;

/** Releases by their version of Kubernetes, newest first. All versions are without `v`. */
export const releases = {
  "1.37.2": {
    ...common,
    etcd: "3.7.0",
    etcdTag: "3.7.0-0",
    coredns: "1.14.6",
    pause: "3.10.2",
    kubeletWebSockets: true,
  },
  "1.36.3": {
    ...common,
    etcd: "3.6.8",
    etcdTag: "3.6.8-0",
    coredns: "1.14.2",
    pause: "3.10.2",
    kubeletWebSockets: true,
  },
  "1.35.4": {
    ...common,
    etcd: "3.6.6",
    etcdTag: "3.6.6-0",
    coredns: "1.13.1",
    pause: "3.10.1",
    kubeletWebSockets: false,
  },
} as const satisfies Readonly<Record<string, Release>>;

export type KubernetesVersion = keyof typeof releases;

/** Newest first. */
export const kubernetesVersions = Object.keys(releases) as readonly string[] as readonly [
  KubernetesVersion,
  ...KubernetesVersion[],
];

export const isKubernetesVersion = (version: string | undefined): version is KubernetesVersion =>
  version !== undefined && Object.hasOwn(releases, version);

/** What a new stack gets whose file names no version: the newest. A stack that exists keeps its own, see `effectiveRelease`. */
export const defaultKubernetesVersion = kubernetesVersions[0];

/** What a stack runs that names no version and has no record of one: its version of groundplane had this default. */
export const unrecordedKubernetesVersion = "1.36.3" satisfies KubernetesVersion;

/** @throws UserError `kubernetes-version` for a version without a row */
export function releaseOf(version: string): Release {
  if (isKubernetesVersion(version)) return releases[version];
  throw new UserError(
    "kubernetes-version",
    `there is no recipe for Kubernetes ${version}`,
    `set kubernetesVersion to ${kubernetesVersions.join(" or ")}`,
  );
}

/** Images that no registry has: they are built with the node images, under names that resolve to nothing. */
const own = "groundplane.internal";

/** By this name, pods and nodes know the stack's registry: the same in every stack, so that a manifest fits all of them. */
export const registryName = `registry.${own}`;

/** A shell and its tools, the same in every release. */
export const busyboxImage = `${own}/busybox:1`;

/**
 * The label of a Node whose image contains the program that enforces NetworkPolicies. The kubelet's unit below image/layers
 * sets it; a test compares them.
 */
export const networkPolicyLabel = { "groundplane.internal/network-policies": "enforced" } as const;

/** Full names of the container images of a Kubernetes version that have versions of their own. */
export function containerImageNames(kubernetesVersion: string) {
  const release = releaseOf(kubernetesVersion);
  return {
    etcd: `registry.k8s.io/etcd:${release.etcdTag}`,
    coredns: `registry.k8s.io/coredns/coredns:v${release.coredns}`,
    pause: `registry.k8s.io/pause:${release.pause}`,
    flannel: `${own}/flannel:v${release.flannel}`,
    localPathProvisioner: `${own}/local-path-provisioner:v${release.localPathProvisioner}`,
    kubeNetworkPolicies: `${own}/kube-network-policies:v${release.kubeNetworkPolicies}`,
    metricsServer: `${own}/metrics-server:v${release.metricsServer}`,
    metallb: `${own}/metallb:v${release.metallb}`,
    registry: `${own}/registry:v${release.registry}`,
  };
}
