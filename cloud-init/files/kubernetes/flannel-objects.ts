import { flannelNamespace as namespace } from "../../../model/cluster-namespaces";
import type { ClusterObject } from "../../../model/cluster-object";
import { containerImageNames } from "../../../model/releases";
import type { DataCenterPlan } from "../../../stacks/plan/data-center-plan";
import { role, roleBinding, serviceAccount } from "./access-rules";

const meta = (name: string) => ({ name, namespace, labels: { app: "flannel" } });

/** Routes between the pods of different nodes: flannel over VXLAN. containerd creates the bridge on each node from its podCIDR. */
export const flannelObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  namespaceObject,
  serviceAccount(meta("flannel")),
  role({ name: "flannel" }, [
    { apiGroups: [""], resources: ["pods"], verbs: ["get"] },
    { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] },
    { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
  ]),
  roleBinding({ name: "flannel" }, "flannel", [{ kind: "ServiceAccount", name: "flannel", namespace }]),
  networkConfigMap(plan),
  daemonSet(plan),
];

const namespaceObject: ClusterObject = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
};

const networkConfigMap = (plan: DataCenterPlan): ClusterObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: meta("kube-flannel-cfg"),
  data: {
    "net-conf.json": JSON.stringify({
      Network: plan.kubernetes.podCidr,
      EnableNFTables: true,
      Backend: { Type: "vxlan" },
    }),
  },
});

const daemonSet = (plan: DataCenterPlan): ClusterObject => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: meta("kube-flannel-ds"),
  spec: {
    selector: { matchLabels: { app: "flannel" } },
    template: { metadata: { labels: { app: "flannel" } }, spec: podSpec(plan) },
  },
});

const podSpec = (plan: DataCenterPlan) => ({
  hostNetwork: true,
  nodeSelector: {},
  priorityClassName: "system-node-critical",
  serviceAccountName: "flannel",
  // Routes must precede all other pods on a node, whatever its conditions are.
  tolerations: [{ operator: "Exists" }],
  containers: [
    {
      name: "kube-flannel",
      image: containerImageNames(plan.kubernetes.version).flannel,
      imagePullPolicy: "IfNotPresent",
      command: ["/opt/bin/flanneld"],
      args: ["--ip-masq", "--kube-subnet-mgr", "--iface=$(NODE_ADDRESS)"],
      securityContext: { privileged: true },
      env: environment(plan),
      volumeMounts: [
        { name: "run", mountPath: "/run/flannel" },
        { name: "configuration", mountPath: "/etc/kube-flannel" },
      ],
    },
  ],
  volumes: [
    { name: "run", hostPath: { path: "/run/flannel", type: "DirectoryOrCreate" } },
    { name: "configuration", configMap: { name: "kube-flannel-cfg" } },
  ],
});

/** The API's floating address: the service address needs kube-proxy, which may start later. */
function environment(plan: DataCenterPlan) {
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  return [
    field("POD_NAME", "metadata.name"),
    field("POD_NAMESPACE", "metadata.namespace"),
    field("NODE_ADDRESS", "status.hostIP"),
    { name: "EVENT_QUEUE_DEPTH", value: "5000" },
    { name: "KUBERNETES_SERVICE_HOST", value: plan.balancing.floatingIp },
    { name: "KUBERNETES_SERVICE_PORT", value: String(plan.balancing.port) },
  ];
}
