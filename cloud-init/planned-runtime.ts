import { type ContainerRuntimeName, containerRuntimes } from "../model/container-runtimes";
import { guestPaths } from "../model/guest-paths";
import { releaseOf } from "../model/releases";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import type { ContainerRuntime } from "./container-runtime";
import { emitYaml } from "./emit-yaml";
import { commandFile, commandWith } from "./guest-command";
import type { TextFile } from "./role-content";

export function containerRuntime(plan: DataCenterPlan): ContainerRuntime {
  const { kubernetes } = plan;
  const { title, socket, unit, answers, announcesPods } = containerRuntimes[kubernetes.runtime];
  return {
    endpoint: `unix://${socket}`,
    unit,
    inScripts: { runtime: title, answers },
    endPods: endPods[kubernetes.runtime],
    kubeletSettings: kubeletSettings(plan),
    announcesPods,
  };
}

/** Containers of Docker are containerd's, too, but only Docker knows the labels of their pods. */
const endPods: Readonly<Record<ContainerRuntimeName, TextFile>> = {
  containerd: commandFile("kubernetes/end-pods"),
  docker: commandWith("kubernetes/end-pods", "docker/end-pods"),
};

/**
 * The address for exec, attach and port-forward that cri-dockerd gives has no scheme. A kubelet that speaks WebSockets itself takes
 * it for HTTPS; without that it takes it for HTTP, and the API server speaks WebSockets with clients. Earlier kubelets do not know
 * the feature gate and would not start with it.
 */
function kubeletSettings({ kubernetes }: DataCenterPlan): readonly TextFile[] {
  if (kubernetes.runtime !== "docker" || !releaseOf(kubernetes.version).kubeletWebSockets) return [];
  return [
    {
      path: `${guestPaths.kubeletSettings}/15-docker.conf`,
      mode: "0644",
      content: emitYaml({
        apiVersion: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        featureGates: { ExtendWebSocketsToKubelet: false },
      }),
      changes: { reload: "systemctl try-restart kubelet" },
    },
  ];
}
