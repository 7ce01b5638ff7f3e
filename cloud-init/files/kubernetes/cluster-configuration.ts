import { guestPaths } from "../../../model/guest-paths";
import { releaseOf } from "../../../model/releases";
import { type DataCenterPlan, etcdMachinesOf } from "../../../stacks/plan/data-center-plan";
import { containerRuntime } from "../../planned-runtime";
import { localEtcd } from "../etcd-proxy";

/** The API of kubeadm's documents. */
export const kubeadmApi = ({ kubernetes }: DataCenterPlan): string =>
  `kubeadm.k8s.io/${releaseOf(kubernetes.version).kubeadmApi}`;

/** Cluster-wide documents, also in the cluster's ConfigMaps for joining nodes. */
export function clusterConfiguration(plan: DataCenterPlan): readonly object[] {
  return [kubeadmCluster(plan), kubelet(plan)];
}

/**
 * Also in a ConfigMap of the cluster, and every joining master uses it. Settings of a single etcd member, such as the initial
 * members, do not belong here.
 */
export const kubeadmCluster = (plan: DataCenterPlan) => ({
  apiVersion: kubeadmApi(plan),
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
  etcd: etcdMachinesOf(plan).length === 0 ? localEtcdMember(plan) : externalEtcd,
  apiServer: {
    certSANs: plan.kubernetes.certificateNames,
    extraArgs: extraArguments({ ...apiServerArguments, ...podPatience(plan) }),
    extraVolumes: [
      hostFolder("api-server-configuration", guestPaths.apiServer, true),
      hostFolder("audit-logs", guestPaths.auditLogs, false),
    ],
  },
  controllerManager: {
    extraArgs: extraArguments({
      ...everyServer,
      ...(plan.kubernetes.hasGivenAuthority && rootsOfPods),
      "node-monitor-grace-period": `${plan.kubernetes.nodeSilenceSeconds}s`,
      "terminated-pod-gc-threshold": "1000",
    }),
  },
  scheduler: { extraArgs: extraArguments(everyServer) },
});

/**
 * What pods verify the API servers with. Many libraries do not accept an authority that is no root, unless they have its issuers. For
 * clients' certificates, `ca.crt` has the authority alone: everything else that its issuers have signed is no user of the cluster.
 */
const rootsOfPods = { "root-ca-file": guestPaths.authorityBundle };

/** A static pod of the machine. */
export const localEtcdMember = ({ kubernetes }: DataCenterPlan) => ({
  local: {
    extraArgs: extraArguments({
      "election-timeout": String(kubernetes.etcdElectionMs),
      "heartbeat-interval": String(kubernetes.etcdHeartbeatMs),
    }),
  },
});

/** Through the master's own proxy, so that a change of the members changes nothing here. */
const externalEtcd = {
  external: {
    endpoints: [`https://${localEtcd}`],
    caFile: `${guestPaths.etcdPki}/ca.crt`,
    certFile: `${guestPaths.etcdClient}.crt`,
    keyFile: `${guestPaths.etcdClient}.key`,
  },
};

const extraArguments = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

/** The default for pods that do not set it. */
function podPatience({ kubernetes }: DataCenterPlan): Readonly<Record<string, string>> {
  const seconds = String(kubernetes.podPatienceSeconds);
  return { "default-not-ready-toleration-seconds": seconds, "default-unreachable-toleration-seconds": seconds };
}

/** Authenticated encryption only. TLS 1.3, which all of the cluster's own programs use, has no others. */
export const cipherSuites: readonly string[] = ["ECDSA", "RSA"].flatMap((key) =>
  ["AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256"].map(
    (cipher) => `TLS_ECDHE_${key}_WITH_${cipher}`,
  ),
);

export const oldestTls = "VersionTLS12";

/** Profiles show what a process has in memory. */
const everyServer = {
  profiling: "false",
  "tls-cipher-suites": cipherSuites.join(","),
  "tls-min-version": oldestTls,
};

const apiServerArguments = {
  ...everyServer,
  "admission-control-config-file": guestPaths.admissionConfiguration,
  // At most 1.1 GB on each master.
  "audit-log-maxage": "30",
  "audit-log-maxbackup": "10",
  "audit-log-maxsize": "100",
  "audit-log-path": `${guestPaths.auditLogs}/audit.log`,
  "audit-policy-file": guestPaths.auditPolicy,
  "authentication-config": guestPaths.authenticationConfiguration,
  // Replaces kubeadm's own value, which is the cluster's authority alone.
  "client-ca-file": guestPaths.apiClients,
  // Replaces kubeadm's own value, which is the first of them. With external IPs, a user of one namespace could take over
  // the connections of others to any address.
  "enable-admission-plugins": "NodeRestriction,EventRateLimit,DenyServiceExternalIPs",
  "encryption-provider-config": guestPaths.encryptionConfiguration,
  // Kubelets use serving certificates of the cluster's CA, so that the API server can verify them.
  "kubelet-certificate-authority": `${guestPaths.pki}/ca.crt`,
  // Tokens of pods end after an hour, as they say. The default accepts them for a year.
  "service-account-extend-token-expiration": "false",
  // A server that ends closes its watches. Without it, their connections keep it for up to a minute, in which it accepts no others.
  "shutdown-watch-termination-grace-period": "3s",
};

const hostFolder = (name: string, path: string, readOnly: boolean) => ({
  name,
  hostPath: path,
  mountPath: path,
  readOnly,
  pathType: "DirectoryOrCreate",
});

/** Of every node; joining nodes read it from the cluster. */
export const kubelet = (plan: DataCenterPlan) => ({
  apiVersion: "kubelet.config.k8s.io/v1beta1",
  kind: "KubeletConfiguration",
  cgroupDriver: "cgroupfs",
  clusterDNS: [plan.kubernetes.dnsServiceIp],
  clusterDomain: "cluster.local",
  // System containers run on hosts with cgroup v1 and with swap.
  failCgroupV1: false,
  failSwapOn: false,
  ...roomOnDisk,
  resolvConf: "/etc/resolv.conf",
  rotateCertificates: true,
  serverTLSBootstrap: true,
});

/** Of a machine that is no Node of the cluster and only runs etcd. No port is open: there is no one to answer. */
export function standaloneKubelet(plan: DataCenterPlan) {
  const { clusterDNS: _dns, clusterDomain: _domain, serverTLSBootstrap: _tls, ...common } = kubelet(plan);
  return {
    ...common,
    rotateCertificates: false,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    enableServer: false,
    containerRuntimeEndpoint: containerRuntime(plan).endpoint,
    staticPodPath: guestPaths.staticPods,
  };
}

/**
 * The disk-pressure thresholds, as absolute sizes. The disk of a system container is that of the host: with kubelet's default
 * percentages, every node of a host whose disk is 85 % full would have disk pressure. Setting one threshold drops kubelet's
 * defaults for the others, so all are listed.
 */
const roomOnDisk = {
  evictionHard: {
    "memory.available": "100Mi",
    "nodefs.available": "1Gi",
    "imagefs.available": "1Gi",
    "nodefs.inodesFree": "1%",
    "imagefs.inodesFree": "1%",
  },
  // 100: unused images are removed only under disk pressure by the thresholds above.
  imageGCHighThresholdPercent: 100,
};
