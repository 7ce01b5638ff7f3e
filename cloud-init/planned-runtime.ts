import { type ContainerRuntimeName, containerRuntimes } from "../model/container-runtimes";
import { guestPaths } from "../model/guest-paths";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import type { ContainerRuntime } from "./container-runtime";
import { emitYaml } from "./emit-yaml";
import { commandFile, commandWith } from "./guest-command";
import type { TextFile } from "./role-content";

export function containerRuntime({ kubernetes }: DataCenterPlan): ContainerRuntime {
  const { title, socket, unit, answers, announcesPods } = containerRuntimes[kubernetes.runtime];
  return {
    endpoint: `unix://${socket}`,
    unit,
    inScripts: { runtime: title, answers },
    endPods: endPods[kubernetes.runtime],
    kubeletSettings: kubeletSettings[kubernetes.runtime],
    announcesPods,
  };
}

/** Containers of Docker are containerd's, too, but only Docker knows the labels of their pods. */
const endPods: Readonly<Record<ContainerRuntimeName, TextFile>> = {
  containerd: commandFile("kubernetes/end-pods"),
  docker: commandWith("kubernetes/end-pods", "docker/end-pods"),
};

/**
 * The address for exec, attach and port-forward that cri-dockerd gives has no scheme. Since 1.36 the kubelet takes it for HTTPS when
 * it speaks WebSockets itself; without that it takes it for HTTP, and the API server speaks WebSockets with clients.
 */
const kubeletSettings: Readonly<Record<ContainerRuntimeName, readonly TextFile[]>> = {
  containerd: [],
  docker: [
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
  ],
};
