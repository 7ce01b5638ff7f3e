import { containerRuntimes } from "../../model/container-runtimes";
import { type GuestCommand, guestPaths } from "../../model/guest-paths";
import { type DataCenterPlan, type NodePlan, nodesOf } from "../../stacks/plan/data-center-plan";
import { emitYaml } from "../emit-yaml";
import { components, componentsOf } from "../files/kubernetes/control-plane-components";
import {
  componentUnit,
  followerName,
  followerUnit,
  programsName,
  programsUnit,
  unitOf,
} from "../files/kubernetes/control-plane-units";
import { reservedForSystem } from "../files/kubernetes/kubelet-settings";
import { commandFile } from "../guest-command";
import { noContent, type RoleContent, type SeedFile, unitFile } from "../role-content";

const commands = [
  "follow-manifests",
  "prepare-component",
  "provide-programs",
  "run-component",
] as const satisfies readonly GuestCommand[];

const usersFile = "/etc/sysusers.d/groundplane-control-plane.conf";

/**
 * What makes services of a node's part of the control plane. kubeadm still writes the manifests of static pods: they are the data
 * of the services, and everything that reads or changes them stays the same.
 */
export function controlPlaneServices(plan: DataCenterPlan, node: NodePlan): RoleContent {
  if (plan.kubernetes.controlPlane !== "services") return noContent;
  const names = componentsOf(node);
  const [isMaster, isMember] = [node.roles.includes("master"), node.roles.includes("etcd")];
  return {
    files: [
      ...commands.map((name) => commandFile(`services/${name}`)),
      programsUnit,
      followerUnit,
      ...names.map((name) => componentUnit(plan.kubernetes, node, name)),
      {
        path: usersFile,
        mode: "0644",
        content: names.map((name) => `u ${name} - "${components[name].title}"\n`).join(""),
      },
      ...(isMaster ? kubeletFiles(node) : []),
      ...(isMaster && isMember ? [{ ...commandFile("kubernetes/etcd-membership"), mode: "0644" }] : []),
    ],
    environment: {
      ...(isMaster && isMember && membershipSettings(plan)),
      CONTROL_PLANE_SERVICES: names.join(" "),
      // containerd's namespace of the runtime that has the images.
      CONTROL_PLANE_IMAGES_OF: containerRuntimes[plan.kubernetes.runtime].namespace,
      CONTROL_PLANE_PROGRAMS: guestPaths.programs,
      CONTROL_PLANE_IMAGES: names.map((name) => `${name}=${components[name].image(plan.kubernetes.version)}`).join(" "),
    },
    commands: [["systemd-sysusers", usersFile]],
    enable: [programsName, followerName, ...names.map(unitOf)],
  };
}

/** What a machine needs that becomes a member of etcd without kubeadm's join. */
export const membershipSettings = (plan: DataCenterPlan): Readonly<Record<string, string>> => ({
  KUBEADM_CONTROL_PLANE: guestPaths.controlPlaneConfiguration,
  ETCD_MEMBERS: nodesOf(plan, "etcd")
    .map(({ name, address }) => `${name}=${address}`)
    .join(" "),
});

/** The kubelet of a master runs no static pod, and knows what the control plane takes of its machine. */
function kubeletFiles(node: NodePlan): readonly SeedFile[] {
  const requests = componentsOf(node).map((name) => components[name].requests);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
  const settings = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    staticPodPath: guestPaths.noStaticPods,
    systemReserved: {
      cpu: `${Number.parseInt(reservedForSystem.cpu, 10) + sum(requests.map(({ milliCpus }) => milliCpus))}m`,
      memory: `${Number.parseInt(reservedForSystem.memory, 10) + sum(requests.map(({ memoryMiB }) => memoryMiB))}Mi`,
    },
  };
  return [
    {
      path: `${guestPaths.kubeletSettings}/20-control-plane.conf`,
      mode: "0644",
      content: emitYaml(settings),
      changes: { reload: "systemctl try-restart kubelet" },
    },
    unitFile(
      "kubelet.service",
      "10-control-plane",
      `[Service]\nExecStartPre=/usr/bin/mkdir -p ${guestPaths.noStaticPods}\n`,
    ),
  ];
}
