import { type ContainerRuntimeName, containerRuntimes } from "../model/container-runtimes";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import type { ContainerRuntime } from "./container-runtime";
import { commandFile, commandWith } from "./guest-command";
import type { TextFile } from "./role-content";

export function containerRuntime({ kubernetes }: DataCenterPlan): ContainerRuntime {
  const { title, socket, unit, answers, announcesPods } = containerRuntimes[kubernetes.runtime];
  return {
    endpoint: `unix://${socket}`,
    unit,
    inScripts: { runtime: title, answers },
    endPods: endPods[kubernetes.runtime],
    announcesPods,
  };
}

/** Containers of Docker are containerd's, too, but only Docker knows the labels of their pods. */
const endPods: Readonly<Record<ContainerRuntimeName, TextFile>> = {
  containerd: commandFile("kubernetes/end-pods"),
  docker: commandWith("kubernetes/end-pods", "docker/end-pods"),
};
