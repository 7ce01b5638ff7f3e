import { systemNamespace as namespace } from "../../../../model/cluster-namespaces";
import type { ClusterObject } from "../../../../model/cluster-object";
import { ports } from "../../../../model/ports";
import { containerImageNames } from "../../../../model/releases";
import type { DataCenterPlan } from "../../../../stacks/plan/data-center-plan";
import { role, roleBinding, serviceAccount } from "../access-rules";
import { broughtImage, littleGarbage, movesSoon, unprivileged } from "./add-on-pods";

const name = "metrics-server";
const labels = { "k8s-app": name };
const account = { kind: "ServiceAccount", name, namespace } as const;
const group = "metrics.k8s.io";
const version = "v1beta1";

/** Asks all kubelets every 15 seconds and serves the latest answers as an API of the cluster. */
export const metricsServerObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  serviceAccount({ name, namespace, labels }),
  role({ name: `system:${name}` }, [
    { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
    { apiGroups: [""], resources: ["pods", "nodes"], verbs: ["get", "list", "watch"] },
  ]),
  roleBinding({ name: `system:${name}` }, `system:${name}`, [account]),
  // It has API servers decide about its clients.
  roleBinding({ name: `${name}:system:auth-delegator` }, "system:auth-delegator", [account]),
  roleBinding({ name: `${name}-auth-reader`, namespace }, "extension-apiserver-authentication-reader", [account]),
  readers,
  service,
  apiService,
  deployment(plan),
];

/** Users with one of the roles that Kubernetes has for them may read metrics. */
const readers = role(
  {
    name: "system:aggregated-metrics-reader",
    labels: Object.fromEntries(
      ["view", "edit", "admin"].map((to) => [`rbac.authorization.k8s.io/aggregate-to-${to}`, "true"]),
    ),
  },
  [{ apiGroups: [group], resources: ["pods", "nodes"], verbs: ["get", "list", "watch"] }],
);

const service: ClusterObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace, labels },
  spec: { ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: "https" }], selector: labels },
};

/** Its certificate is its own. API servers prove to it who asks, and send it no secrets. */
const apiService: ClusterObject = {
  apiVersion: "apiregistration.k8s.io/v1",
  kind: "APIService",
  metadata: { name: `${version}.${group}`, labels },
  spec: {
    ...{ group, version, groupPriorityMinimum: 100, versionPriority: 100 },
    service: { name, namespace, port: 443 },
    insecureSkipTLSVerify: true,
  },
};

const deployment = (plan: DataCenterPlan): ClusterObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace, labels },
  spec: {
    replicas: 1,
    // The port of its node is taken until the former one has ended.
    strategy: { type: "Recreate" },
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: podSpec(plan) },
  },
});

const authority = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";

/** In its node's network: nodes refuse other connections of pods to kubelets. */
const podSpec = ({ kubernetes }: DataCenterPlan) => ({
  hostNetwork: true,
  priorityClassName: "system-cluster-critical",
  serviceAccountName: name,
  tolerations: movesSoon,
  containers: [
    {
      name,
      ...broughtImage(containerImageNames(kubernetes.version).metricsServer),
      args: [
        "--cert-dir=/tmp",
        `--secure-port=${ports.metricsServer}`,
        `--kubelet-certificate-authority=${authority}`,
        "--kubelet-preferred-address-types=InternalIP",
        "--kubelet-use-node-status-port",
        "--metric-resolution=15s",
      ],
      env: [littleGarbage],
      ports: [{ name: "https", containerPort: ports.metricsServer, protocol: "TCP" }],
      readinessProbe: { httpGet: { path: "/readyz", port: "https", scheme: "HTTPS" }, periodSeconds: 2 },
      livenessProbe: { httpGet: { path: "/livez", port: "https", scheme: "HTTPS" }, periodSeconds: 10 },
      resources: { requests: { cpu: "10m", memory: "40Mi" } },
      securityContext: unprivileged,
      volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
    },
  ],
  volumes: [{ name: "tmp", emptyDir: {} }],
});
