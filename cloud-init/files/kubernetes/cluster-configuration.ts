import { guestPaths } from "../../../model/guest-paths";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";

/** The documents that hold for the whole cluster; kubeadm keeps them in ConfigMaps, where joining nodes find them. */
export function clusterConfiguration(plan: DataCenterPlan): readonly object[] {
  return [kubeadmCluster(plan), kubelet(plan), kubeProxy()];
}

/**
 * kubeadm's own part of it. It lands in a ConfigMap, and every master that joins follows it: what holds for one member of
 * etcd alone, such as its first members, has no place here.
 */
export const kubeadmCluster = (plan: DataCenterPlan) => ({
  apiVersion: "kubeadm.k8s.io/v1beta4",
  kind: "ClusterConfiguration",
  clusterName: plan.stack,
  kubernetesVersion: `v${plan.kubernetes.version}`,
  encryptionAlgorithm: "ECDSA-P256",
  controlPlaneEndpoint: plan.kubernetes.endpoint,
  networking: {
    podSubnet: plan.kubernetes.podCidr,
    serviceSubnet: plan.kubernetes.serviceCidr,
    dnsDomain: "cluster.local",
  },
  etcd: {
    local: {
      extraArgs: extraArguments({
        "election-timeout": String(plan.kubernetes.etcdElectionMs),
        "heartbeat-interval": String(plan.kubernetes.etcdHeartbeatMs),
      }),
    },
  },
  apiServer: {
    certSANs: plan.kubernetes.certificateNames,
    extraArgs: extraArguments({ ...apiServerArguments, ...podPatience(plan) }),
    extraVolumes: [
      hostFolder("api-server-configuration", guestPaths.apiServer, true),
      hostFolder("audit-logs", guestPaths.auditLogs, false),
    ],
  },
  controllerManager: {
    extraArgs: extraArguments({ "node-monitor-grace-period": `${plan.kubernetes.nodeSilenceSeconds}s` }),
  },
});

const extraArguments = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

/** Of every pod that does not say otherwise. */
function podPatience({ kubernetes }: DataCenterPlan): Readonly<Record<string, string>> {
  const seconds = String(kubernetes.podPatienceSeconds);
  return { "default-not-ready-toleration-seconds": seconds, "default-unreachable-toleration-seconds": seconds };
}

const apiServerArguments = {
  "audit-log-maxage": "7",
  "audit-log-maxbackup": "3",
  "audit-log-maxsize": "50",
  "audit-log-path": `${guestPaths.auditLogs}/audit.log`,
  "audit-policy-file": guestPaths.auditPolicy,
  "authentication-config": guestPaths.authenticationConfiguration,
  "encryption-provider-config": guestPaths.encryptionConfiguration,
  // Kubelets serve with certificates of the cluster's CA, so the API server can insist on them.
  "kubelet-certificate-authority": `${guestPaths.pki}/ca.crt`,
};

const hostFolder = (name: string, path: string, readOnly: boolean) => ({
  name,
  hostPath: path,
  mountPath: path,
  readOnly,
  pathType: "DirectoryOrCreate",
});

const kubelet = (plan: DataCenterPlan) => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  cgroupDriver: "cgroupfs",
  clusterDNS: [plan.kubernetes.dnsServiceIp],
  clusterDomain: "cluster.local",
  // System containers live on hosts with cgroup v1, and with the host's swap.
  failCgroupV1: false,
  failSwapOn: false,
  ...roomOnDisk,
  resolvConf: "/etc/resolv.conf",
  rotateCertificates: true,
  serverTLSBootstrap: true,
});

/**
 * When a node counts as short of room. In parts of the disk, as kubelet has it, every system container of a host whose
 * disk is 85 % full would be: the disk is the host's, and no pod would run though there is room for hundreds. Given one
 * threshold, kubelet forgets its others, so all stand here.
 */
const roomOnDisk = {
  evictionHard: {
    "memory.available": "100Mi",
    "nodefs.available": "1Gi",
    "imagefs.available": "1Gi",
    "nodefs.inodesFree": "1%",
    "imagefs.inodesFree": "1%",
  },
  // 100: unused images go when a node is short of room by the thresholds above, and not before.
  imageGCHighThresholdPercent: 100,
};

/** Zeros leave the connection tracking of the host's kernel alone: it is not the guest's to tune. */
const kubeProxy = () => ({
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  mode: "nftables",
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
});
