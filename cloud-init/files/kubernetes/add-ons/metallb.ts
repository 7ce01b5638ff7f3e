import { metallbNamespace as namespace } from "../../../../model/cluster-namespaces";
import type { ClusterObject } from "../../../../model/cluster-object";
import { ports } from "../../../../model/ports";
import { containerImageNames } from "../../../../model/releases";
import type { DataCenterPlan } from "../../../../stacks/plan/data-center-plan";
import { announcersOf } from "../../../../stacks/plan/plan-add-ons";
import { broughtImage, fromPod, littleGarbage, movesSoon, unprivileged } from "./add-on-pods";
import { metallbAccess } from "./metallb-access";
import { metallbDefinitions, plannedAddresses } from "./metallb-resources";

const labelsOf = (component: string) => ({ app: "metallb", component });
const membership = "metallb-memberlist-config";
const key = "memberlist";

/**
 * Addresses for Services of type LoadBalancer. The controller gives each Service one of the planned range. The speakers agree on one of
 * them for each address, which answers for it in the segment (ARP), so that its node gets the packets.
 */
export const metallbObjects = (plan: DataCenterPlan): readonly ClusterObject[] => [
  // Speakers use the network of their node, and its raw packets.
  {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: namespace, labels: { "pod-security.kubernetes.io/enforce": "privileged" } },
  },
  ...metallbDefinitions,
  ...metallbAccess,
  ...plannedAddresses(plan),
  membershipConfiguration(plan),
  controller(plan),
  speakers(plan),
];

/**
 * A speaker that answers neither directly nor through others within an interval is suspected, and lost after so many further ones. The
 * kubelet's silence would be noticed after ten times as long. MetalLB requires every value; the others are the defaults of its library.
 */
const timersOf = ({ kubernetes: { speakerProbeMs, speakerPatience } }: DataCenterPlan) => ({
  ...{ ProbeInterval: `${speakerProbeMs}ms`, ProbeTimeout: `${speakerProbeMs / 2}ms` },
  ...{ SuspicionMult: speakerPatience, SuspicionMaxTimeoutMult: 6, AwarenessMaxMultiplier: 8 },
  ...{ IndirectChecks: 3, DisableTcpPings: false, TCPTimeout: "10s", PushPullInterval: "30s" },
  ...{ RetransmitMult: 4, GossipNodes: 3, GossipInterval: "200ms", GossipToTheDeadTime: "30s" },
  ...{ GossipVerifyIncoming: true, GossipVerifyOutgoing: true, EnableCompression: true },
  ...{ HandoffQueueDepth: 1024, UDPBufferSize: 1400, QueueCheckInterval: "30s" },
});

const membershipConfiguration = (plan: DataCenterPlan): ClusterObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: membership, namespace, labels: { app: "metallb" } },
  data: { "config.json": JSON.stringify(timersOf(plan)) },
});

/** Speakers read their configuration when they start: with another one, they are replaced. */
const readAtStart = ({ kubernetes: { speakerProbeMs, speakerPatience } }: DataCenterPlan) => ({
  "groundplane.internal/membership": `${speakerProbeMs} ms, ${speakerPatience} times`,
});

/** Of both programs. They would serve metrics to clients that the API accepts, if they could ask it about these. */
const common = [`--port=${ports.speakerMetrics}`, "--log-level=info"];

const container = ({ kubernetes }: DataCenterPlan, program: string, args: readonly string[]) => ({
  name: program,
  ...broughtImage(containerImageNames(kubernetes.version).metallb),
  command: [`/usr/bin/${program}`],
  args: [...common, ...args],
});

const probes = (host: object) => ({
  readinessProbe: { httpGet: { ...host, path: "/readyz", port: ports.speakerHealth }, periodSeconds: 2 },
  livenessProbe: { httpGet: { ...host, path: "/healthz", port: ports.speakerHealth }, periodSeconds: 10 },
});

const controller = (plan: DataCenterPlan): ClusterObject => {
  const labels = labelsOf("controller");
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "controller", namespace, labels },
    spec: {
      replicas: 1,
      strategy: { type: "Recreate" },
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          priorityClassName: "system-cluster-critical",
          serviceAccountName: "controller",
          terminationGracePeriodSeconds: 0,
          tolerations: movesSoon,
          containers: [
            {
              ...container(plan, "controller", ["--webhook-mode=disabled"]),
              env: [
                fromPod("METALLB_POD_NAME", "metadata.name"),
                { name: "METALLB_ML_SECRET_NAME", value: key },
                { name: "METALLB_DEPLOYMENT", value: "controller" },
                littleGarbage,
              ],
              ...probes({}),
              resources: { requests: { cpu: "10m", memory: "32Mi" } },
              securityContext: unprivileged,
            },
          ],
        },
      },
    },
  };
};

const speakers = (plan: DataCenterPlan): ClusterObject => {
  const labels = labelsOf("speaker");
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "speaker", namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations: readAtStart(plan) },
        spec: { ...placement(plan), ...speakerPod(plan) },
      },
    },
  };
};

const controlPlane = "node-role.kubernetes.io/control-plane";

/** Masters are in another segment than the workers' pool. Where they are the only workers, all speakers are on masters. */
const areMasters = (plan: DataCenterPlan): boolean => announcersOf(plan).some(({ roles }) => roles.includes("master"));

const placement = (plan: DataCenterPlan) => {
  if (areMasters(plan)) return {};
  const terms = [{ matchExpressions: [{ key: controlPlane, operator: "DoesNotExist" }] }];
  return {
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } },
  };
};

const speakerPod = (plan: DataCenterPlan) => ({
  hostNetwork: true,
  priorityClassName: "system-node-critical",
  serviceAccountName: "speaker",
  terminationGracePeriodSeconds: 2,
  containers: [
    {
      // kubeadm excludes masters from the addresses of services.
      ...container(plan, "speaker", areMasters(plan) ? ["--ignore-exclude-lb"] : []),
      env: [
        fromPod("METALLB_NODE_NAME", "spec.nodeName"),
        fromPod("METALLB_POD_NAME", "metadata.name"),
        fromPod("METALLB_ML_BIND_ADDR", "status.podIP"),
        { name: "METALLB_ML_BIND_PORT", value: String(ports.speakers) },
        { name: "METALLB_ML_LABELS", value: "app=metallb,component=speaker" },
        { name: "METALLB_ML_SECRET_KEY_PATH", value: "/etc/ml_secret_key" },
        // The API's floating address: the service address needs kube-proxy, which may start later.
        { name: "KUBERNETES_SERVICE_HOST", value: plan.balancing.floatingIp },
        { name: "KUBERNETES_SERVICE_PORT", value: String(plan.balancing.port) },
        littleGarbage,
      ],
      ...probes({ host: "127.0.0.1" }),
      resources: { requests: { cpu: "10m", memory: "32Mi" } },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"], add: ["NET_RAW"] },
        readOnlyRootFilesystem: true,
      },
      volumeMounts: [
        { name: "key", mountPath: "/etc/ml_secret_key", readOnly: true },
        { name: "membership", mountPath: "/etc/metallb/memberlist", readOnly: true },
      ],
    },
  ],
  volumes: [
    { name: "key", secret: { secretName: key } },
    { name: "membership", configMap: { name: membership } },
  ],
});
