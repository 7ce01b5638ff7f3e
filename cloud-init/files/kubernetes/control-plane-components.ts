import { guestPaths } from "../../../model/guest-paths";
import { containerImageNames } from "../../../model/releases";
import type { KubernetesPlan, NodePlan } from "../../../stacks/plan/data-center-plan";

/**
 * The components of the control plane, beside the arguments that kubeadm derives from its configuration. kubeadm's manifests
 * contain the same for static pods.
 */
export const componentNames = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;

export type ComponentName = (typeof componentNames)[number];

export interface Component {
  readonly title: string;
  readonly image: (kubernetesVersion: string) => string;
  /** What its arguments name. */
  readonly files: (node: NodePlan, kubernetes: KubernetesPlan) => readonly string[];
  /** What it writes: folders of systemd, which belong to its user. */
  readonly folders: readonly string[];
  /** What kubeadm requests for its pod. */
  readonly requests: { readonly milliCpus: number; readonly memoryMiB: number };
  /** The components that start before it and stop after it on the same node. */
  readonly after: readonly ComponentName[];
}

const serverImage = (name: ComponentName) => (version: string) => `registry.k8s.io/${name}:v${version}`;
const pair = (name: string): readonly string[] => [`${guestPaths.pki}/${name}.crt`, `${guestPaths.pki}/${name}.key`];
const isMember = ({ roles }: NodePlan): boolean => roles.includes("etcd");

export const components: Readonly<Record<ComponentName, Component>> = {
  etcd: {
    title: "etcd",
    image: (version) => containerImageNames(version).etcd,
    files: () => [...pair("etcd/server"), ...pair("etcd/peer"), `${guestPaths.etcdPki}/ca.crt`],
    folders: ["StateDirectory=etcd", "StateDirectoryMode=0700"],
    requests: { milliCpus: 100, memoryMiB: 100 },
    after: [],
  },
  "kube-apiserver": {
    title: "API server of Kubernetes",
    image: serverImage("kube-apiserver"),
    files: () => [
      ...pair("apiserver"),
      ...pair("apiserver-etcd-client"),
      ...pair("apiserver-kubelet-client"),
      ...pair("front-proxy-client"),
      ...["ca.crt", "etcd/ca.crt", "front-proxy-ca.crt", "sa.key", "sa.pub"].map((name) => `${guestPaths.pki}/${name}`),
      guestPaths.admissionConfiguration,
      guestPaths.apiClients,
      guestPaths.auditPolicy,
      guestPaths.authenticationConfiguration,
      guestPaths.encryptionConfiguration,
    ],
    folders: ["LogsDirectory=kubernetes", "LogsDirectoryMode=0700"],
    requests: { milliCpus: 250, memoryMiB: 0 },
    after: ["etcd"],
  },
  "kube-controller-manager": {
    title: "Controller manager of Kubernetes",
    image: serverImage("kube-controller-manager"),
    files: (_node, { hasGivenAuthority }) => [
      guestPaths.controllerManagerKubeconfig,
      ...pair("ca"),
      ...(hasGivenAuthority ? [guestPaths.authorityBundle] : []),
      `${guestPaths.pki}/front-proxy-ca.crt`,
      `${guestPaths.pki}/sa.key`,
    ],
    folders: [],
    requests: { milliCpus: 200, memoryMiB: 0 },
    after: ["kube-apiserver"],
  },
  "kube-scheduler": {
    title: "Scheduler of Kubernetes",
    image: serverImage("kube-scheduler"),
    files: () => [guestPaths.schedulerKubeconfig],
    folders: [],
    requests: { milliCpus: 100, memoryMiB: 0 },
    after: ["kube-apiserver"],
  },
};

/** Those that a node runs. */
export const componentsOf = (node: NodePlan): readonly ComponentName[] =>
  componentNames.filter((name) => (name === "etcd" ? isMember(node) : node.roles.includes("master")));
