import { guestCommand, guestPaths } from "../../model/guest-paths";
import type { FileExplanation } from "./explanation";
import { kubeadmStanzas, kubeletStanzas, patchStanzas } from "./kubernetes-stanzas";

const kubelet = "kubelet.service";
const cluster = "groundplane-cluster.service";
const apiServerShown = `kubectl --kubeconfig ${guestPaths.adminKubeconfig} get --raw /readyz`;

const secretOf = (why: string): FileExplanation => ({ why, shown: apiServerShown });

/** Files of cluster nodes, by path. */
export const kubernetesFiles: Readonly<Record<string, FileExplanation>> = {
  "/etc/default/kubelet": {
    why: "It tells the kubelet to read its settings from a folder, so that each concern has a file of its own.",
    unit: kubelet,
    stanzas: { KUBELET_EXTRA_ARGS: "Flags in addition to those of kubeadm." },
  },
  [`${guestPaths.kubeletSettings}/10-groundplane.conf`]: {
    why: "Settings of this node's kubelet on top of those that kubeadm wrote.",
    unit: kubelet,
    stanzas: kubeletStanzas,
  },
  [`${guestPaths.kubeletSettings}/15-docker.conf`]: {
    why: "What the kubelet must do differently with Docker.",
    unit: kubelet,
    stanzas: kubeletStanzas,
  },
  [`${guestPaths.kubeletSettings}/20-control-plane.conf`]: {
    why: "The control plane of this master runs as services: their processors and memory are not for pods.",
    unit: kubelet,
    stanzas: kubeletStanzas,
  },
  [`${guestPaths.kubeletSettings}/20-security.conf`]: {
    why: "Limits that the CIS benchmark asks for.",
    unit: kubelet,
    stanzas: kubeletStanzas,
  },
  [guestPaths.kubeletConfiguration]: {
    why: "The kubelet of a machine that only runs etcd: it belongs to no cluster and starts the pod of its folder.",
    unit: kubelet,
    stanzas: {
      apiVersion: "The complete configuration, which kubeadm writes on nodes of a cluster.",
      "evictionHard:": "When little is left, pods end instead of the machine.",
      "authentication:": "No requests from anywhere: it has no server.",
      "containerRuntimeEndpoint:": "What runs the containers.",
      "staticPodPath:": "The folder whose pods it starts.",
    },
  },
  "/etc/systemd/system/kubelet.service.d/10-standalone.conf": {
    why: "A kubelet without an API: it has no kubeconfig.",
    unit: kubelet,
  },
  "/etc/systemd/system/kubelet.service.d/10-control-plane.conf": {
    why: "The folder of static pods exists and stays empty, because the control plane runs as services.",
    unit: kubelet,
  },
  "/etc/systemd/system/kubelet.service.d/20-private-files.conf": {
    why: "Files of the kubelet are readable by root only, as the CIS benchmark asks.",
    unit: kubelet,
  },
  "/etc/systemd/system/groundplane-pods.service.d/20-grace.conf": {
    why: "When the machine stops, pods get their grace periods up to the limit of `options.podGraceSeconds`.",
    unit: "groundplane-pods.service",
  },
  [guestPaths.podFilter]: {
    why: "What pods of this node may not reach, neither here nor on other machines.",
    unit: "groundplane-pod-filter.service",
    stanzas: {
      "table inet": "The table is created, deleted and written again in one transaction.",
      "chain to_this_node": "From pods to this machine.",
      "chain to_other_nodes": "From pods to other machines. A forged address is dropped.",
      "chain management": "Ports that only machines may use.",
    },
  },
  [guestPaths.initConfiguration]: {
    why: "What `kubeadm init` reads on the master that starts the cluster.",
    unit: cluster,
    stanzas: kubeadmStanzas,
  },
  [guestPaths.joinConfiguration]: {
    why: "What `kubeadm join` reads. The token in it is a placeholder: the real one comes over SSH and is valid for minutes.",
    unit: cluster,
    stanzas: kubeadmStanzas,
  },
  [guestPaths.controlPlaneConfiguration]: {
    why: "What the control plane of this machine follows while it runs: a change of the stack file arrives here.",
    shown: guestCommand("node-ready"),
    stanzas: kubeadmStanzas,
  },
  [`${guestPaths.patches}/*`]: {
    why: "A change of a manifest for which kubeadm has no setting: probes, the address of the API server, or a digest that restarts a component when its file changes.",
    unit: cluster,
    stanzas: patchStanzas,
  },
  [guestPaths.plannedNodes]: {
    why: "The nodes whose kubelets may have a certificate. A request for any other name is denied.",
    unit: "groundplane-approve-serving-certificates.service",
    stanzas: { "*": "Name, address and role." },
  },
  [guestPaths.etcdMembers]: {
    why: "The members of etcd, for the stages of a rotation of its authority.",
    shown: `cat ${guestPaths.etcdMembers}`,
    stanzas: { "*": "Name and address." },
  },
  [guestPaths.admissionConfiguration]: {
    why: "What the API server refuses although the user may: pods that break the security standard of their namespace, and floods of events.",
    shown: apiServerShown,
    stanzas: {
      apiVersion: "Configuration of admission plugins.",
      '- name: "PodSecurity"':
        "The standard for all namespaces without one of their own, and the namespaces of the data centre itself.",
      '- name: "EventRateLimit"': "A program that writes events without end does not fill etcd.",
    },
  },
  [guestPaths.auditPolicy]: {
    why: "What the API server writes into its audit log: who changed what, without the content of secrets and without the noise of the cluster itself.",
    shown: `tail -n 1 ${guestPaths.auditLogs}/audit.log`,
    stanzas: {
      apiVersion: "Rules in order; the first that fits decides.",
      "rules:": "None: not logged. Metadata: who, what and when, without contents.",
    },
  },
  [guestPaths.authenticationConfiguration]: {
    why: "Requests without a name are refused, except those of health checks and of nodes that join.",
    shown: apiServerShown,
    stanzas: {
      apiVersion: "Configuration of authentication.",
      "anonymous:": "The only paths that are open to requests without a name.",
    },
  },
  [guestPaths.apiClients]: secretOf(
    "The authorities of client certificates that the API server accepts. A rotation adds and removes one.",
  ),
  [guestPaths.encryptionConfiguration]: secretOf(
    "The key with which the API server encrypts Secrets before etcd has them.",
  ),
  [`${guestPaths.pki}/ca.crt`]: secretOf(
    "The authority of the cluster: API servers, kubelets and clients know each other by certificates of it.",
  ),
  [`${guestPaths.pki}/ca.key`]: secretOf(
    "The key of the cluster's authority: a program that has it can pretend to be any user.",
  ),
  [guestPaths.authorityBundle]: secretOf(
    "The certificate of a given authority with those of its issuers, for clients that trust only the root.",
  ),
  [`${guestPaths.pki}/front-proxy-ca.crt`]: secretOf(
    "The authority by which servers of API extensions believe an API server the name of a user.",
  ),
  [`${guestPaths.pki}/front-proxy-ca.key`]: secretOf(
    "The key of the authority of front proxies: a program that has it can tell an extension the name of any user.",
  ),
  [`${guestPaths.pki}/sa.key`]: secretOf("The key that signs the tokens of service accounts."),
  [`${guestPaths.pki}/sa.pub`]: secretOf(
    "The public part of the key that signs tokens, by which API servers verify them.",
  ),
  [`${guestPaths.pki}/former-authorities.pem`]: secretOf(
    "Authorities that rotations replaced, for a master that joins before a rotation has ended.",
  ),
  [`${guestPaths.etcdPki}/former-authorities.pem`]: secretOf(
    "Authorities of etcd that rotations replaced, for a member that joins before a rotation has ended.",
  ),
  [`${guestPaths.etcdPki}/ca.crt`]: secretOf(
    "The authority of etcd, apart from that of the cluster: a certificate of a kubelet opens no database.",
  ),
  [`${guestPaths.etcdPki}/ca.key`]: secretOf(
    "The key of etcd's authority, with which this machine makes its own certificates.",
  ),
  [`${guestPaths.etcdClient}.crt`]: secretOf("The API server's certificate for etcd on machines of its own."),
  [`${guestPaths.etcdClient}.key`]: secretOf(
    "The key of this certificate. This master has no key of etcd's authority, so it cannot make another one.",
  ),
  "/etc/sysusers.d/groundplane-control-plane.conf": {
    why: "Each component that runs as a service has a user of its own, so that one cannot read the files of another.",
    shown: "getent passwd etcd",
    stanzas: { "u ": "A user, without a home and without a login." },
  },
};
