import { type GuestCommand, guestCommand, guestPaths } from "../../model/guest-paths";
import { renewalDays } from "../../model/health-check";
import type { SecretName } from "../../model/seed";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { apiServerAddress } from "../../stacks/plan/plan-listeners";
import { etcdProxy, etcdProxyName } from "../files/etcd-proxy";
import { admissionConfiguration } from "../files/kubernetes/admission-configuration";
import { approverUser } from "../files/kubernetes/approver-objects";
import { auditPolicy } from "../files/kubernetes/audit-policy";
import { authenticationConfiguration } from "../files/kubernetes/authentication-configuration";
import { controlPlaneConfigurationFile, initConfigurationFile } from "../files/kubernetes/kubeadm-config";
import { kubeadmPatches } from "../files/kubernetes/kubeadm-patches";
import { plannedNodes } from "../files/kubernetes/planned-nodes";
import {
  approverName,
  approverUnit,
  fencesName,
  fencesUnit,
  renewalTimer,
  renewalUnits,
} from "../files/kubernetes/units";
import { commandFile } from "../guest-command";
import { withStorageClient } from "../planned-storage";
import { mergeContents, type RoleContent, type SeedFile } from "../role-content";
import { backupContent } from "./backups";
import { controlPlaneServices } from "./control-plane-services";
import { kubernetesNodeContent } from "./kubernetes-node";
import { rotatedAuthorities } from "./rotated-authorities";

const commands: readonly GuestCommand[] = [
  "bootstrap-cluster",
  "renew-certificates",
  "renew-token",
  "forget-node",
  "drain-node",
  "fence-node",
  "release-fences",
  "may-leave",
  "etcd-complete",
  "cluster-ready",
  "cluster-id",
  "apply-control-plane",
  "label-namespaces",
  "approve-serving-certificates",
  "approver-identity",
  "check-serving-request",
  "follow-clients",
];

/** Only machines with etcd issue certificates for it. */
const keysForEtcd = (isMember: boolean): Readonly<Record<string, SecretName>> =>
  isMember
    ? { "etcd/ca.crt": "etcd-ca.crt", "etcd/ca.key": "etcd-ca.key" }
    : {
        "etcd/ca.crt": "etcd-ca.crt",
        "apiserver-etcd-client.crt": "etcd-client.crt",
        "apiserver-etcd-client.key": "etcd-client.key",
      };

/** The pre-generated keys by their path in kubeadm's PKI folder. */
const publicKeyInfrastructure = (isMember: boolean): Readonly<Record<string, SecretName>> => ({
  "ca.crt": "kubernetes-ca.crt",
  "ca.key": "kubernetes-ca.key",
  "front-proxy-ca.crt": "front-proxy-ca.crt",
  "front-proxy-ca.key": "front-proxy-ca.key",
  ...keysForEtcd(isMember),
  "sa.key": "service-account.key",
  "sa.pub": "service-account.pub",
});

/** Only masters that are members of etcd can ask it. */
const ofMembers: readonly GuestCommand[] = ["may-leave", "etcd-complete"];

/** Of a master whose etcd has machines of its own, in place of those of a member. */
const withoutMember: readonly GuestCommand[] = ["etcd-command", "apply-control-plane"];

/** A master can bootstrap the cluster or join it, and runs cluster commands for the provider. */
export function masterContent(plan: DataCenterPlan, node: NodePlan): RoleContent {
  const common = withStorageClient(plan, node, kubernetesNodeContent(plan, node));
  const isMember = node.roles.includes("etcd");
  const command = (name: GuestCommand) =>
    commandFile(`${!isMember && withoutMember.includes(name) ? "external-etcd" : "kubernetes"}/${name}`);
  const own: RoleContent = {
    ...common,
    files: [
      ...common.files,
      { ...command("etcd-command"), mode: "0644" },
      { ...command("certificate-ends"), mode: "0644" },
      ...commands.filter((name) => isMember || !ofMembers.includes(name)).map(command),
      ...(isMember ? [] : etcdProxy(plan, node)),
      approverUnit,
      ...renewalUnits(node.index),
      fencesUnit,
      ...keyFiles(isMember),
      ...rotatedAuthorities(plan, node),
      ...(plan.kubernetes.hasGivenAuthority ? givenAuthority : []),
      ...apiServerFiles(plan),
      ...clusterFiles(plan, node),
    ],
    environment: {
      ...common.environment,
      APPROVER_USER: approverUser,
      POD_SECURITY: plan.kubernetes.podSecurity,
      RENEWAL_SECONDS: String(renewalDays * 86_400),
    },
    enable: [...common.enable, approverName, renewalTimer, fencesName, ...(isMember ? [] : [etcdProxyName])],
  };
  return mergeContents([own, controlPlaneServices(plan, node), backupContent(plan, node)]);
}

const keyFiles = (isMember: boolean): SeedFile[] =>
  Object.entries(publicKeyInfrastructure(isMember)).map(([name, secret]) => ({
    path: `${guestPaths.pki}/${name}`,
    mode: "0600",
    secret,
  }));

/** What clients need that trust only the root. */
const givenAuthority: readonly SeedFile[] = [
  { path: guestPaths.authorityBundle, mode: "0600", secret: "kubernetes-ca-bundle.crt" },
  commandFile("kubernetes/serve-chain"),
];

/** Restarts the changed parts of the control plane on this master only. */
const applied = { reload: guestCommand("apply-control-plane") };

/** The API server reads them when it starts and follows changes of the last two only. */
const apiServerFiles = (plan: DataCenterPlan): SeedFile[] => [
  { path: guestPaths.encryptionConfiguration, mode: "0600", secret: "encryption-configuration" },
  { path: guestPaths.auditPolicy, mode: "0600", content: auditPolicy(), changes: applied },
  { path: guestPaths.admissionConfiguration, mode: "0600", content: admissionConfiguration(plan), changes: applied },
  {
    path: guestPaths.authenticationConfiguration,
    mode: "0600",
    content: authenticationConfiguration(),
    changes: { reload: "" },
  },
  {
    ...{ path: guestPaths.apiClients, mode: "0600", secret: "api-clients.crt" },
    // The stages of a rotation of the cluster's authority keep it: it depends on how far they are.
    ...(plan.rotations["kubernetes-ca"] === undefined && { changes: { reload: guestCommand("follow-clients") } }),
  },
];

function clusterFiles(plan: DataCenterPlan, node: NodePlan): SeedFile[] {
  return [
    { path: guestPaths.initConfiguration, mode: "0600", content: initConfigurationFile(plan, node) },
    {
      path: guestPaths.controlPlaneConfiguration,
      mode: "0600",
      content: controlPlaneConfigurationFile(plan, node),
      changes: { ...applied, check: 'kubeadm config validate --config "$1"', release: plan.kubernetes.version },
    },
    ...kubeadmPatches(plan, apiServerAddress(node)).map((patch) => ({
      ...patch,
      mode: "0644",
      changes: { reload: "" },
    })),
    {
      path: guestPaths.plannedNodes,
      mode: "0644",
      content: plannedNodes(plan),
      // Checks again the requests that arrived before their node's line.
      changes: { reload: `systemctl try-restart ${approverName}` },
    },
  ];
}
