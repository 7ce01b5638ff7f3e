import { clusterNamespaces } from "../../model/cluster-namespaces";
import { type GuestCommand, guestPaths } from "../../model/guest-paths";
import { firstNodePort, lastNodePort } from "../../model/ports";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { joinConfigurationFile } from "../files/kubernetes/kubeadm-config";
import { kubeletSecurity } from "../files/kubernetes/kubelet-security";
import { kubeletSettings } from "../files/kubernetes/kubelet-settings";
import { podFilter, podFilterName } from "../files/kubernetes/pod-filter";
import { clusterUnit, podsUnit } from "../files/kubernetes/units";
import { registryFiles } from "../files/trusted-registry";
import { commandFile } from "../guest-command";
import { containerRuntime } from "../planned-runtime";
import { volumeMountsOf, withStorageClient } from "../planned-storage";
import type { RoleContent } from "../role-content";

const commands: readonly GuestCommand[] = ["patient-configuration", "join-cluster", "cluster-wait", "cluster-status"];

/** The common part of masters and workers: they can join and report their progress. */
export function kubernetesNodeContent(plan: DataCenterPlan, node: NodePlan): RoleContent {
  const runtime = containerRuntime(plan);
  return {
    files: [
      { ...commandFile("kubernetes/cluster-state"), mode: "0644" },
      commandFile("kubernetes/cluster-work", runtime.inScripts),
      ...commands.map((name) => commandFile(`kubernetes/${name}`)),
      runtime.endPods,
      commandFile("kubernetes/role-ready", runtime.inScripts),
      clusterUnit(runtime),
      podsUnit(plan, volumeMountsOf(plan, node)),
      ...kubeletSettings,
      ...runtime.kubeletSettings,
      ...kubeletSecurity,
      ...podFilter(plan),
      ...registryFiles(plan, node),
      { path: guestPaths.joinConfiguration, mode: "0600", content: joinConfigurationFile(plan, node) },
    ],
    environment: {
      KUBEADM_INIT_CONFIGURATION: guestPaths.initConfiguration,
      KUBEADM_JOIN_CONFIGURATION: guestPaths.joinConfiguration,
      KUBEADM_PATCHES: guestPaths.patches,
      PLANNED_NODES: guestPaths.plannedNodes,
      POD_GRACE_SECONDS: String(plan.kubernetes.podGraceSeconds),
      NODE_PORTS: `${firstNodePort}-${lastNodePort}`,
      CLUSTER_NAMESPACES: clusterNamespaces.join(" "),
    },
    commands: [],
    enable: ["groundplane-cluster.service", podFilterName],
  };
}

/** A worker waits for its order to join and keeps no key of the cluster. */
export function workerContent(plan: DataCenterPlan, node: NodePlan): RoleContent {
  return withStorageClient(plan, node, kubernetesNodeContent(plan, node));
}
