import { systemNamespace as namespace } from "../../../model/cluster-namespaces";
import type { ClusterObject } from "../../../model/cluster-object";
import { ports } from "../../../model/ports";
import { containerImageNames, networkPolicyLabel } from "../../../model/releases";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { containerRuntime } from "../../planned-runtime";
import { role, roleBinding, serviceAccount } from "./access-rules";

const name = "network-policies";
const labels = { app: name };
const health = { port: ports.networkPolicies, host: "127.0.0.1" };

/**
 * Enforces NetworkPolicies: kube-network-policies on every node decides about the first packet of each connection of a
 * pod that a policy selects. While it does not run, such pods get no new connections; all others are not affected.
 */
export const networkPolicyObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  serviceAccount({ name, namespace, labels }),
  role({ name: `groundplane:${name}` }, [
    { apiGroups: [""], resources: ["pods", "namespaces"], verbs: ["list", "watch"] },
    { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["list", "watch"] },
  ]),
  roleBinding({ name: `groundplane:${name}` }, `groundplane:${name}`, [{ kind: "ServiceAccount", name, namespace }]),
  daemonSet(plan),
];

const daemonSet = (plan: DataCenterPlan): ClusterObject => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: { name, namespace, labels },
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: podSpec(plan) },
  },
});

/** containerd tells there of a pod's address before the API does. */
const announced = "/var/run/nri";
const announcements = <T extends object>(plan: DataCenterPlan, mount: T): Partial<T> =>
  containerRuntime(plan).announcesPods ? mount : {};

const podSpec = (plan: DataCenterPlan) => ({
  hostNetwork: true,
  priorityClassName: "system-node-critical",
  serviceAccountName: name,
  // The kubelet of an image that has the program sets it: nodes with an older image cannot run the pod.
  nodeSelector: networkPolicyLabel,
  tolerations: [{ operator: "Exists" }],
  containers: [
    {
      name,
      image: containerImageNames(plan.kubernetes.version).kubeNetworkPolicies,
      imagePullPolicy: "IfNotPresent",
      args: ["-node=$(NODE_NAME)", `-health=${health.host}:${health.port}`],
      env: environment(plan),
      readinessProbe: { httpGet: { ...health, path: "/" }, periodSeconds: 5 },
      resources: { requests: { cpu: "10m", memory: "32Mi" } },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"], add: ["NET_ADMIN"] },
        readOnlyRootFilesystem: true,
      },
      ...announcements(plan, { volumeMounts: [{ name: "runtime", mountPath: announced }] }),
    },
  ],
  ...announcements(plan, { volumes: [{ name: "runtime", hostPath: { path: announced, type: "DirectoryOrCreate" } }] }),
});

/** The API's floating address: the service address needs kube-proxy, which may start later. */
const environment = ({ balancing }: DataCenterPlan) => [
  { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
  { name: "KUBERNETES_SERVICE_HOST", value: balancing.floatingIp },
  { name: "KUBERNETES_SERVICE_PORT", value: String(balancing.port) },
  // It keeps little and lives long: half of Go's usual garbage.
  { name: "GOGC", value: "50" },
];
