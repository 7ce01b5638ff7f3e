import { systemNamespace as namespace } from "../../../model/cluster-namespaces";
import type { ClusterObject } from "../../../model/cluster-object";
import type { KubeProxyMode } from "../../../model/kube-proxy-modes";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { roleBinding, serviceAccount } from "./access-rules";
import { joiningNodes, kubernetesYaml, readableBy } from "./kubeadm-objects";

const name = "kube-proxy";
const folder = "/var/lib/kube-proxy";
const labels = { "k8s-app": name };
const accountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Each mode has a ConfigMap of its own. kube-proxies restart at once when the text of theirs changes, while a different name in
 * the DaemonSet restarts them one node after the other. At its start kube-proxy removes the rules of the other mode.
 */
const configurationName: Readonly<Record<KubeProxyMode, string>> = { nftables: name, iptables: `${name}-iptables` };

/** Kubernetes' own service proxy on every node, as kubeadm installs it. */
export const kubeProxyObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  serviceAccount({ name, namespace }),
  roleBinding({ name: "kubeadm:node-proxier" }, "system:node-proxier", [{ kind: "ServiceAccount", name, namespace }]),
  ...readableBy(name, namespace, configurationName[plan.kubernetes.kubeProxy], [joiningNodes]),
  configMap(plan),
  daemonSet(plan),
];

/** A changed text restarts every kube-proxy, so it has exactly kubeadm's form. */
const configMap = (plan: DataCenterPlan): ClusterObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: configurationName[plan.kubernetes.kubeProxy], namespace, labels: { app: name } },
  data: {
    "kubeconfig.conf": kubernetesYaml(kubeconfig(plan)).trimEnd(),
    "config.conf": kubernetesYaml(configuration(plan)).trimEnd(),
  },
});

const kubeconfig = ({ kubernetes }: DataCenterPlan) => ({
  apiVersion: "v1",
  kind: "Config",
  clusters: [
    {
      cluster: { "certificate-authority": `${accountFolder}/ca.crt`, server: `https://${kubernetes.endpoint}` },
      name: "default",
    },
  ],
  contexts: [{ context: { cluster: "default", namespace: "default", user: "default" }, name: "default" }],
  "current-context": "default",
  users: [{ name: "default", user: { tokenFile: `${accountFolder}/token` } }],
});

/** The node's own address, as nftables has it by default. iptables would also open NodePorts on 127.0.0.1 and on cni0. */
const nodePortAddresses: Readonly<Record<KubeProxyMode, readonly string[] | null>> = {
  nftables: null,
  iptables: ["primary"],
};

/** Zeros leave the connection tracking of the host's kernel unchanged; all other empty values are kube-proxy's defaults. */
const configuration = ({ kubernetes }: DataCenterPlan) => ({
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  bindAddress: "0.0.0.0",
  bindAddressHardFail: false,
  clientConnection: {
    acceptContentTypes: "",
    burst: 0,
    contentType: "",
    kubeconfig: `${folder}/kubeconfig.conf`,
    qps: 0,
  },
  clusterCIDR: kubernetes.podCidr,
  configSyncPeriod: "0s",
  conntrack: {
    maxPerCore: 0,
    min: 0,
    tcpBeLiberal: false,
    tcpCloseWaitTimeout: "0s",
    tcpEstablishedTimeout: "0s",
    udpStreamTimeout: "0s",
    udpTimeout: "0s",
  },
  detectLocal: { bridgeInterface: "", interfaceNamePrefix: "" },
  detectLocalMode: "",
  enableProfiling: false,
  healthzBindAddress: "",
  hostnameOverride: "",
  iptables: {
    localhostNodePorts: null,
    masqueradeAll: false,
    masqueradeBit: null,
    minSyncPeriod: "0s",
    syncPeriod: "0s",
  },
  ipvs: {
    excludeCIDRs: null,
    minSyncPeriod: "0s",
    scheduler: "",
    strictARP: false,
    syncPeriod: "0s",
    tcpFinTimeout: "0s",
    tcpTimeout: "0s",
    udpTimeout: "0s",
  },
  kind: "KubeProxyConfiguration",
  logging: {
    flushFrequency: 0,
    options: { json: { infoBufferSize: "0" }, text: { infoBufferSize: "0" } },
    verbosity: 0,
  },
  metricsBindAddress: "",
  mode: kubernetes.kubeProxy,
  nftables: { masqueradeAll: false, masqueradeBit: null, minSyncPeriod: "0s", syncPeriod: "0s" },
  nodePortAddresses: nodePortAddresses[kubernetes.kubeProxy],
  oomScoreAdj: null,
  portRange: "",
  showHiddenMetricsForVersion: "",
  winkernel: {
    enableDSR: false,
    forwardHealthCheckVip: false,
    networkName: "",
    rootHnsEndpointName: "",
    sourceVip: "",
  },
});

/**
 * The container has the programs of its node's image, and not this library of a plugin of iptables, which divides connections
 * among pods. In the mode nftables, kube-proxy needs it to remove the rules of iptables. The node's own library also serves
 * machines that were made from an earlier image.
 */
const libraries = [{ name: "libm", path: "/usr/lib/x86_64-linux-gnu/libm.so.6" }];

const daemonSet = ({ kubernetes }: DataCenterPlan): ClusterObject => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name, namespace, labels },
  spec: {
    selector: { matchLabels: labels },
    updateStrategy: { type: "RollingUpdate" },
    template: {
      metadata: { labels },
      spec: {
        priorityClassName: "system-node-critical",
        hostNetwork: true,
        serviceAccountName: name,
        nodeSelector: { "kubernetes.io/os": "linux" },
        tolerations: [{ operator: "Exists" }],
        containers: [
          {
            name,
            image: `registry.k8s.io/kube-proxy:v${kubernetes.version}`,
            imagePullPolicy: "IfNotPresent",
            command: [
              "/usr/local/bin/kube-proxy",
              `--config=${folder}/config.conf`,
              "--hostname-override=$(NODE_NAME)",
            ],
            securityContext: { privileged: true },
            volumeMounts: [
              { mountPath: folder, name },
              { mountPath: "/run/xtables.lock", name: "xtables-lock" },
              { mountPath: "/lib/modules", name: "lib-modules", readOnly: true },
              ...libraries.map(({ name: library, path }) => ({ mountPath: path, name: library, readOnly: true })),
            ],
            env: [{ name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }],
          },
        ],
        volumes: [
          { name, configMap: { name: configurationName[kubernetes.kubeProxy] } },
          { name: "xtables-lock", hostPath: { path: "/run/xtables.lock", type: "FileOrCreate" } },
          { name: "lib-modules", hostPath: { path: "/lib/modules" } },
          ...libraries.map(({ name: library, path }) => ({ name: library, hostPath: { path, type: "File" } })),
        ],
      },
    },
  },
});
