import { stringify } from "yaml";
import { systemNamespace } from "../../../model/cluster-namespaces";
import type { ClusterObject } from "../../../model/cluster-object";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { emitYaml } from "../../emit-yaml";
import { type AccessRule, role, roleBinding, type Subject } from "./access-rules";
import { kubeadmCluster, kubelet } from "./cluster-configuration";

/** What `kubeadm init` leaves in the cluster for nodes that join later. Names and rules are kubeadm's. */

const publicNamespace = "kube-public";
const group = (name: string): Subject => ({ kind: "Group", name });
/** Nodes that have only a bootstrap token. */
export const joiningNodes = group("system:bootstrappers:kubeadm:default-node-token");
const nodes = group("system:nodes");

export const kubeadmObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  configMap("kubeadm-config", { ClusterConfiguration: emitYaml(kubeadmCluster(plan)) }),
  ...readableBy("kubeadm:nodes-kubeadm-config", systemNamespace, "kubeadm-config", [joiningNodes, nodes]),
  configMap("kubelet-config", { kubelet: emitYaml(kubelet(plan)) }),
  ...readableBy("kubeadm:kubelet-config", systemNamespace, "kubelet-config", [nodes, joiningNodes]),
  ...readableBy("kubeadm:bootstrap-signer-clusterinfo", publicNamespace, "cluster-info", [
    { kind: "User", name: "system:anonymous" },
  ]),
  role({ name: "kubeadm:get-nodes" }, [{ apiGroups: [""], resources: ["nodes"], verbs: ["get"] }]),
  ...clusterBindings.map(([name, roleName, subject]) => roleBinding({ name }, roleName, [subject])),
];

const approvals = "system:certificates.k8s.io:certificatesigningrequests";

const clusterBindings: readonly (readonly [name: string, role: string, subject: Subject])[] = [
  ["kubeadm:get-nodes", "kubeadm:get-nodes", joiningNodes],
  ["kubeadm:kubelet-bootstrap", "system:node-bootstrapper", joiningNodes],
  ["kubeadm:node-autoapprove-bootstrap", `${approvals}:nodeclient`, joiningNodes],
  ["kubeadm:node-autoapprove-certificate-rotation", `${approvals}:selfnodeclient`, nodes],
  [
    "kubeadm:apiserver-kubelet-client",
    "system:kubelet-api-admin",
    { kind: "User", name: "kube-apiserver-kubelet-client" },
  ],
  ["kubeadm:cluster-admins", "cluster-admin", group("kubeadm:cluster-admins")],
];

const configMap = (
  name: string,
  data: Readonly<Record<string, string>>,
  namespace = systemNamespace,
): ClusterObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data,
});

/** The right to read one ConfigMap. */
export function readableBy(name: string, namespace: string, configMapName: string, subjects: readonly Subject[]) {
  const rule: AccessRule = {
    apiGroups: [""],
    resources: ["configmaps"],
    resourceNames: [configMapName],
    verbs: ["get"],
  };
  return [role({ name, namespace }, [rule]), roleBinding({ name, namespace }, name, subjects)];
}

/**
 * How a node that has only a token finds the API. A controller adds a signature for each token, which covers the text as it
 * is, so the text has kubeadm's form.
 *
 * @param certificateAuthority PEM
 */
export function clusterInfo({ kubernetes }: DataCenterPlan, certificateAuthority: string): ClusterObject {
  const certificate = Buffer.from(certificateAuthority).toString("base64");
  const cluster = { "certificate-authority-data": certificate, server: `https://${kubernetes.endpoint}` };
  const kubeconfig = {
    apiVersion: "v1",
    clusters: [{ cluster, name: "" }],
    contexts: null,
    "current-context": "",
    kind: "Config",
    users: null,
  };
  return configMap("cluster-info", { kubeconfig: kubernetesYaml(kubeconfig) }, publicNamespace);
}

/** What the present `cluster-info` has as the certificate authority, as PEM; `undefined` without one. */
export function authoritiesIn(info: unknown): string | undefined {
  const { data } = (info ?? {}) as { readonly data?: Readonly<Record<string, unknown>> };
  const encoded = /^ *certificate-authority-data: (\S+)$/m.exec(String(data?.kubeconfig))?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString();
}

/** YAML in the form of Kubernetes' own programs. */
export const kubernetesYaml = (value: unknown): string => stringify(value, { lineWidth: 0, indentSeq: false });
