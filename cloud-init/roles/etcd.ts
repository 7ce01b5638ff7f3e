import { type GuestCommand, guestCommand, guestPaths } from "../../model/guest-paths";
import { renewalDays } from "../../model/health-check";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { emitYaml } from "../emit-yaml";
import { standaloneKubelet } from "../files/kubernetes/cluster-configuration";
import { etcdConfigurationFile } from "../files/kubernetes/kubeadm-config";
import { kubeadmPatches } from "../files/kubernetes/kubeadm-patches";
import { kubeletSecurity } from "../files/kubernetes/kubelet-security";
import { kubeletSettings } from "../files/kubernetes/kubelet-settings";
import { clusterUnit, renewalTimer, renewalUnits } from "../files/kubernetes/units";
import { commandFile } from "../guest-command";
import { containerRuntime } from "../planned-runtime";
import { mergeContents, noContent, type RoleContent, type SeedFile, unitFile } from "../role-content";
import { controlPlaneServices, membershipSettings } from "./control-plane-services";
import { rotatedAuthorities } from "./rotated-authorities";

/** The same on every node that takes part in the cluster. */
const sharedCommands: readonly GuestCommand[] = [
  ...(["bootstrap-cluster", "cluster-wait", "cluster-status"] as const),
  ...(["may-leave", "etcd-complete"] as const),
];

const commands: readonly GuestCommand[] = [
  ...["cluster-work", "join-cluster", "cluster-id", "forget-node"],
  ...["apply-control-plane", "renew-certificates", "role-ready"],
] as GuestCommand[];

/**
 * A member of etcd on a machine of its own, or on the gateway. A kubelet without a cluster runs it as a static pod, which kubeadm
 * writes as it does on a master, or it is a service and no kubelet runs. On a master, kubeadm itself needs nothing beside the
 * master's own content.
 */
export function etcdContent(plan: DataCenterPlan, node: NodePlan): RoleContent {
  if (node.roles.includes("master")) return noContent;
  const runtime = containerRuntime(plan);
  const isService = plan.kubernetes.controlPlane === "services";
  const own: RoleContent = {
    files: [
      ...["cluster-state", "etcd-command", "etcd-membership"].map((name) => ({
        ...commandFile(`kubernetes/${name as GuestCommand}`),
        mode: "0644",
      })),
      ...sharedCommands.map((name) => commandFile(`kubernetes/${name}`)),
      ...commands.map((name) =>
        commandFile(`${isService && name === "role-ready" ? "etcd-services" : "etcd"}/${name}`, runtime.inScripts),
      ),
      clusterUnit(runtime),
      ...renewalUnits(node.index, `${guestPaths.etcdPki}/server.crt`),
      ...(isService ? [] : [...kubeletSettings, ...kubeletSecurity, ...standaloneFiles(plan)]),
      { path: `${guestPaths.etcdPki}/ca.crt`, mode: "0600", secret: "etcd-ca.crt" },
      { path: `${guestPaths.etcdPki}/ca.key`, mode: "0600", secret: "etcd-ca.key" },
      ...rotatedAuthorities(plan, node),
      {
        path: guestPaths.controlPlaneConfiguration,
        mode: "0600",
        content: etcdConfigurationFile(plan, node),
        changes: {
          reload: guestCommand("apply-control-plane"),
          check: 'kubeadm config validate --config "$1"',
          release: plan.kubernetes.version,
        },
      },
      ...kubeadmPatches(plan)
        .filter(({ path }) => path.startsWith(`${guestPaths.patches}/etcd`))
        .map((patch) => ({ ...patch, mode: "0644", changes: { reload: "" } })),
    ],
    environment: {
      ...membershipSettings(plan),
      KUBEADM_PATCHES: guestPaths.patches,
      RENEWAL_SECONDS: String(renewalDays * 86_400),
    },
    commands: [],
    enable: [...(isService ? [] : ["kubelet.service"]), "groundplane-cluster.service", renewalTimer],
  };
  return mergeContents([own, controlPlaneServices(plan, node)]);
}

/** The kubelet notices a new file at once only in a folder that is there when it starts. */
const standaloneUnit = `[Service]
Environment="KUBELET_KUBECONFIG_ARGS="
ExecStartPre=/usr/bin/mkdir -p ${guestPaths.staticPods}
`;

/** Without a kubeconfig, a kubelet runs static pods and belongs to no cluster. */
const standaloneFiles = (plan: DataCenterPlan): readonly SeedFile[] => [
  {
    path: guestPaths.kubeletConfiguration,
    mode: "0600",
    content: emitYaml(standaloneKubelet(plan)),
    changes: { reload: "systemctl try-restart kubelet" },
  },
  {
    ...unitFile("kubelet.service", "10-standalone", standaloneUnit),
    changes: { reload: "systemctl daemon-reload && systemctl try-restart kubelet" },
  },
];
