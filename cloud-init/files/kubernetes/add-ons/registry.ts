import { systemNamespace as namespace } from "../../../../model/cluster-namespaces";
import type { ClusterObject } from "../../../../model/cluster-object";
import { guestPaths } from "../../../../model/guest-paths";
import { ports, registryNodePort } from "../../../../model/ports";
import { containerImageNames } from "../../../../model/releases";
import type { DataCenterPlan } from "../../../../stacks/plan/data-center-plan";
import { registryService as name, registryAddress, registryClaim } from "../../../../stacks/plan/plan-registry";
import { broughtImage, littleGarbage, movesSoon, unprivileged } from "./add-on-pods";

const labels = { "k8s-app": name };
const keys = "/etc/distribution/keys";
const data = "/var/lib/registry";

/** Keeps container images in a claim on the shared volume, so that any worker can run it. */
export const registryObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  claim,
  service(plan),
  deployment(plan),
];

/** The size is only recorded: the registry may fill the volume. */
const claim: ClusterObject = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: registryClaim, namespace, labels },
  spec: { accessModes: ["ReadWriteMany"], resources: { requests: { storage: "10Gi" } } },
};

/** Nodes find it at a planned address, because names of the cluster are known to pods only. The host reaches it as a NodePort. */
const service = (plan: DataCenterPlan): ClusterObject => {
  const isPublished = plan.hostPorts.nodePorts.some(({ nodePort }) => nodePort === registryNodePort);
  const port = { name: "https", port: 443, protocol: "TCP", targetPort: "https" };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels },
    spec: {
      clusterIP: registryAddress(plan),
      type: isPublished ? "NodePort" : "ClusterIP",
      ports: [isPublished ? { ...port, nodePort: registryNodePort } : port],
      selector: labels,
    },
  };
};

/** One pod: another one at the same time would not see files at once that the first one has written through another node. */
const deployment = (plan: DataCenterPlan): ClusterObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace, labels },
  spec: {
    replicas: 1,
    strategy: { type: "Recreate" },
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: podSpec(plan) },
  },
});

/** All its settings. A restart ends uploads that are under way: their clients repeat them. */
const environment = {
  REGISTRY_HTTP_ADDR: `:${ports.registry}`,
  REGISTRY_HTTP_TLS_CERTIFICATE: `${keys}/tls.crt`,
  REGISTRY_HTTP_TLS_KEY: `${keys}/tls.key`,
  REGISTRY_LOG_LEVEL: "warn",
  REGISTRY_LOG_ACCESSLOG_DISABLED: "true",
  REGISTRY_STORAGE_DELETE_ENABLED: "true",
  REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: data,
  OTEL_TRACES_EXPORTER: "none",
};

const probe = { httpGet: { path: "/v2/", port: "https", scheme: "HTTPS" }, timeoutSeconds: 5 };

const podSpec = ({ kubernetes }: DataCenterPlan) => ({
  priorityClassName: "system-cluster-critical",
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  terminationGracePeriodSeconds: 5,
  tolerations: movesSoon,
  containers: [
    {
      name,
      ...broughtImage(containerImageNames(kubernetes.version).registry),
      args: ["serve", "/etc/distribution/config.yml"],
      env: [...Object.entries(environment).map(([key, value]) => ({ name: key, value })), littleGarbage],
      ports: [{ name: "https", containerPort: ports.registry, protocol: "TCP" }],
      readinessProbe: { ...probe, periodSeconds: 2 },
      livenessProbe: { ...probe, periodSeconds: 10 },
      resources: { requests: { cpu: "10m", memory: "32Mi" } },
      // The key on its node is readable by root only.
      securityContext: { ...unprivileged, runAsNonRoot: false, runAsUser: 0 },
      volumeMounts: [
        { name: "data", mountPath: data },
        { name: "keys", mountPath: keys, readOnly: true },
      ],
    },
  ],
  volumes: [
    { name: "data", persistentVolumeClaim: { claimName: registryClaim } },
    { name: "keys", hostPath: { path: guestPaths.registry, type: "Directory" } },
  ],
});
