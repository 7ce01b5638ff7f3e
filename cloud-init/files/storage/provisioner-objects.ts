import { volumesNamespace as namespace } from "../../../model/cluster-namespaces";
import type { ClusterObject } from "../../../model/cluster-object";
import { containerImageNames } from "../../../model/releases";
import type { VolumePlan } from "../../../stacks/plan/data-center-plan";
import { emitYaml } from "../../emit-yaml";
import { script } from "../../scripts/read-script";
import { role, roleBinding, serviceAccount } from "../kubernetes/access-rules";
import { helperPod } from "./provisioner-helper-pod";

const name = "volume-provisioner";
const provisioner = "groundplane.internal/volume";
const meta = { name, namespace, labels: { app: name } };

/** local-path-provisioner over the shared mount: a claim becomes a folder of the volume, whatever its access mode. */
export const provisionerObjects = (kubernetesVersion: string, volume: VolumePlan): readonly ClusterObject[] => [
  { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
  serviceAccount(meta),
  ...accessRules(),
  configuration(volume),
  deployment(containerImageNames(kubernetesVersion).localPathProvisioner),
  storageClass,
];

/**
 * Binds immediately, because every node can access the folder. The provisioner of the image lets claims grow, which changes their
 * recorded size only.
 */
const storageClass: ClusterObject = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "shared", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner,
  allowVolumeExpansion: true,
  volumeBindingMode: "Immediate",
  reclaimPolicy: "Delete",
};

function accessRules(): readonly ClusterObject[] {
  const account = [{ kind: "ServiceAccount", name, namespace } as const];
  const claims = ["persistentvolumeclaims", "persistentvolumes"];
  return [
    role({ name }, [
      { apiGroups: [""], resources: ["nodes", "persistentvolumeclaims"], verbs: ["get", "list", "watch"] },
      { apiGroups: [""], resources: claims.slice(1), verbs: ["get", "list", "watch", "create", "patch", "delete"] },
      { apiGroups: [""], resources: ["persistentvolumeclaims/status"], verbs: ["patch"] },
      { apiGroups: [""], resources: ["events"], verbs: ["create", "patch"] },
      { apiGroups: ["storage.k8s.io"], resources: ["storageclasses"], verbs: ["get", "list", "watch"] },
    ]),
    roleBinding({ name }, name, account),
    role(meta, [
      { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch", "create", "delete"] },
      { apiGroups: [""], resources: ["pods/log", "configmaps"], verbs: ["get", "list", "watch"] },
    ]),
    roleBinding(meta, name, account),
  ];
}

const configuration = ({ mountPoint }: VolumePlan): ClusterObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: meta,
  data: {
    "config.json": JSON.stringify({ sharedFileSystemPath: mountPoint, cmdTimeoutSeconds: 30 }),
    setup: script("storage/volume-setup"),
    teardown: script("storage/volume-teardown"),
    "helperPod.yaml": emitYaml(helperPod),
  },
});

const deployment = (image: string): ClusterObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: meta,
  spec: {
    replicas: 1,
    // It has no leader election: two replicas would both create every volume.
    strategy: { type: "Recreate" },
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        serviceAccountName: name,
        nodeSelector: {},
        priorityClassName: "system-cluster-critical",
        tolerations: [
          { key: "node-role.kubernetes.io/control-plane", operator: "Exists", effect: "NoSchedule" },
          ...["not-ready", "unreachable"].map((state) => ({
            key: `node.kubernetes.io/${state}`,
            operator: "Exists",
            effect: "NoExecute",
            tolerationSeconds: 20,
          })),
        ],
        containers: [
          {
            name,
            image,
            imagePullPolicy: "IfNotPresent",
            // 0 = retry forever: creation succeeds once the storage machines are back.
            args: [
              "start",
              "--config=/etc/config/config.json",
              `--provisioner-name=${provisioner}`,
              `--configmap-name=${name}`,
              `--service-account-name=${name}`,
              "--provisioning-retry-count=0",
              "--deletion-retry-count=0",
            ],
            env: [
              { name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
              { name: "CONFIG_MOUNT_PATH", value: "/etc/config" },
            ],
            volumeMounts: [{ name: "configuration", mountPath: "/etc/config" }],
          },
        ],
        volumes: [{ name: "configuration", configMap: { name } }],
      },
    },
  },
});
