import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { guestPaths } from "../files/kubernetes/guest-paths";
import { joinConfigurationFile } from "../files/kubernetes/kubeadm-config";
import { clusterUnit } from "../files/kubernetes/units";
import { guestCommand } from "../guest-command";
import type { RoleContent } from "../role-content";

const commands = [
  "cluster-work",
  "patient-configuration",
  "join-cluster",
  "cluster-wait",
  "cluster-status",
  "role-ready",
];

/** What masters and workers have in common: they can join, and say how far they are. */
export function kubernetesNodeContent(plan: DataCenterPlan, node: NodePlan): RoleContent {
  return {
    files: [
      { ...guestCommand("kubernetes/cluster-state"), mode: "0644" },
      ...commands.map((name) => guestCommand(`kubernetes/${name}`)),
      clusterUnit,
      { path: guestPaths.joinConfiguration, mode: "0600", content: joinConfigurationFile(plan, node) },
    ],
    environment: {
      KUBEADM_INIT_CONFIGURATION: guestPaths.initConfiguration,
      KUBEADM_JOIN_CONFIGURATION: guestPaths.joinConfiguration,
      KUBEADM_PATCHES: guestPaths.patches,
      FLANNEL_MANIFEST: guestPaths.flannel,
      PLANNED_NODES: guestPaths.plannedNodes,
    },
    commands: [],
    enable: ["groundplane-cluster.service"],
  };
}
