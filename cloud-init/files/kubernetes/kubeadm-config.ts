import { guestPaths } from "../../../model/guest-paths";
import { isWorkingMaster } from "../../../model/roles";
import type { DataCenterPlan, NodePlan } from "../../../stacks/plan/data-center-plan";
import { emitYaml } from "../../emit-yaml";
import { containerRuntime } from "../../planned-runtime";
import { secretReference } from "../../role-content";
import { clusterConfiguration, kubeadmApi, kubeadmCluster, localEtcdMember } from "./cluster-configuration";

/** The configuration for `kubeadm init`. Only the node's name and address differ between the masters of a stack. */
export function initConfigurationFile(plan: DataCenterPlan, node: NodePlan): string {
  const init = { ...initConfiguration(plan, node), nodeRegistration: firstRegistration(plan, node) };
  return emitDocuments([init, ...clusterConfiguration(plan)]);
}

/** The configuration for the kubeadm phases that rewrite the static pods of a master. */
export const controlPlaneConfigurationFile = (plan: DataCenterPlan, node: NodePlan): string =>
  emitDocuments([initConfiguration(plan, node), kubeadmCluster(plan)]);

/** The configuration for kubeadm's etcd phases on a machine that runs nothing else. */
export const etcdConfigurationFile = (plan: DataCenterPlan, node: NodePlan): string =>
  emitDocuments([initConfiguration(plan, node), { ...kubeadmCluster(plan), etcd: localEtcdMember(plan) }]);

const emitDocuments = (documents: readonly object[]): string =>
  documents.map((document) => emitYaml(document)).join("---\n");

/** A valid token of no cluster: `cluster-work` replaces it with the one that is made for the join. */
const tokenOfTheJoin = "000000.0000000000000000";

/** The configuration for `kubeadm join`: the API through the floating IP, trusted by the CA's hash alone. */
export function joinConfigurationFile(plan: DataCenterPlan, node: NodePlan): string {
  return emitYaml({
    apiVersion: kubeadmApi(plan),
    kind: "JoinConfiguration",
    discovery: {
      bootstrapToken: {
        apiServerEndpoint: plan.kubernetes.endpoint,
        token: tokenOfTheJoin,
        caCertHashes: [secretReference("kubernetes-ca-hash")],
      },
    },
    nodeRegistration: firstRegistration(plan, node),
    ...(node.roles.includes("master") ? { controlPlane: { localAPIEndpoint: localApi(plan, node) }, ...patches } : {}),
  });
}

const initConfiguration = (plan: DataCenterPlan, node: NodePlan) => ({
  apiVersion: kubeadmApi(plan),
  kind: "InitConfiguration",
  localAPIEndpoint: localApi(plan, node),
  nodeRegistration: nodeRegistration(plan, node),
  ...patches,
});

const patches = { patches: { directory: guestPaths.patches } };

const localApi = (plan: DataCenterPlan, node: NodePlan) => ({
  advertiseAddress: node.address,
  bindPort: plan.balancing.port,
});

/** Without taints of its own a master has that of the control plane. Running masters follow their roles by their membership. */
const firstRegistration = (plan: DataCenterPlan, node: NodePlan) => ({
  ...nodeRegistration(plan, node),
  ...(isWorkingMaster(node.roles) && { taints: [] }),
});

function nodeRegistration(plan: DataCenterPlan, node: NodePlan) {
  return {
    name: node.name,
    criSocket: containerRuntime(plan).endpoint,
    // The node's image contains every container image: a missing one is an error, not a download.
    imagePullPolicy: "Never",
    // The check parses the host's kernel configuration, which a system container does not have.
    ignorePreflightErrors: ["SystemVerification"],
    kubeletExtraArgs: [{ name: "node-ip", value: node.address }],
  };
}
