import { systemNamespace as namespace } from "../../../model/cluster-namespaces";
import type { ClusterObject } from "../../../model/cluster-object";
import { containerImageNames } from "../../../model/releases";
import { isClusterNode } from "../../../model/roles";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { type AccessRule, role, roleBinding, serviceAccount } from "./access-rules";

const name = "coredns";
const labels = { "k8s-app": "kube-dns" };

/** The cluster's DNS, as kubeadm installs it, with two changes: its replicas run apart, and its probe may be fast. */
export const coreDnsObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  serviceAccount({ name, namespace }),
  role({ name: "system:coredns" }, rules),
  roleBinding({ name: "system:coredns" }, "system:coredns", [{ kind: "ServiceAccount", name, namespace }]),
  { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data: { Corefile: corefile } },
  service(plan),
  deployment(plan),
];

const rules: readonly AccessRule[] = [
  { apiGroups: [""], resources: ["endpoints", "services", "pods", "namespaces"], verbs: ["list", "watch"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
];

const corefile = `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
`;

const service = ({ kubernetes }: DataCenterPlan): ClusterObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: "kube-dns",
    namespace,
    labels: { ...labels, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" },
    annotations: { "prometheus.io/port": "9153", "prometheus.io/scrape": "true" },
  },
  spec: {
    clusterIP: kubernetes.dnsServiceIp,
    ports: [
      { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
      { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
      { name: "metrics", port: 9153, protocol: "TCP", targetPort: 9153 },
    ],
    selector: labels,
  },
});

const clusterNodes = ({ nodes }: DataCenterPlan): number => nodes.filter(({ roles }) => isClusterNode(roles)).length;

/** A second one on the same node would use memory and survive nothing more. */
const replicasOf = (plan: DataCenterPlan): number => Math.min(2, clusterNodes(plan));

const deployment = (plan: DataCenterPlan): ClusterObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace, labels },
  spec: {
    replicas: replicasOf(plan),
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: replicasOf(plan) - 1 } },
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: podSpec(plan) },
  },
});

const podSpec = (plan: DataCenterPlan) => ({
  priorityClassName: "system-cluster-critical",
  serviceAccountName: name,
  affinity: { podAntiAffinity: spread(plan) },
  tolerations: [
    { key: "CriticalAddonsOnly", operator: "Exists" },
    { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" },
  ],
  nodeSelector: { "kubernetes.io/os": "linux" },
  containers: [container(plan)],
  dnsPolicy: "Default",
  volumes: [{ name: "config-volume", configMap: { name, items: [{ key: "Corefile", path: "Corefile" }] } }],
});

/**
 * Preferred as in kubeadm; the required rule keeps one DNS server when a node is lost, whatever the order in which nodes came.
 * A single node cannot meet it.
 */
function spread(plan: DataCenterPlan) {
  const topologyKey = "kubernetes.io/hostname";
  const required =
    replicasOf(plan) > 1
      ? { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: labels }, topologyKey }] }
      : {};
  const matchExpressions = [{ key: "k8s-app", operator: "In", values: ["kube-dns"] }];
  const podAffinityTerm = { labelSelector: { matchExpressions }, topologyKey };
  return { ...required, preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] };
}

const container = ({ kubernetes }: DataCenterPlan) => ({
  name,
  image: containerImageNames(kubernetes.version).coredns,
  imagePullPolicy: "IfNotPresent",
  resources: { limits: { memory: "170Mi" }, requests: { cpu: "100m", memory: "70Mi" } },
  args: ["-conf", "/etc/coredns/Corefile"],
  volumeMounts: [{ name: "config-volume", mountPath: "/etc/coredns", readOnly: true }],
  ports: [
    { containerPort: 53, name: "dns", protocol: "UDP" },
    { containerPort: 53, name: "dns-tcp", protocol: "TCP" },
    { containerPort: 9153, name: "metrics", protocol: "TCP" },
    { containerPort: 8080, name: "liveness-probe", protocol: "TCP" },
    { containerPort: 8181, name: "readiness-probe", protocol: "TCP" },
  ],
  livenessProbe: {
    httpGet: { path: "/health", port: "liveness-probe", scheme: "HTTP" },
    initialDelaySeconds: 60,
    timeoutSeconds: 5,
    successThreshold: 1,
    failureThreshold: 5,
  },
  readinessProbe: {
    httpGet: { path: "/ready", port: "readiness-probe", scheme: "HTTP" },
    ...(kubernetes.fastProbes ? { periodSeconds: 1 } : {}),
  },
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
    readOnlyRootFilesystem: true,
  },
});
