import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load, loadAll } from "js-yaml";
import { allClusterObjects, clusterObjects } from "../../../../cloud-init/files/kubernetes/cluster-objects";
import { byName, type ClusterObject, clusterObjectPath, isClusterKind } from "../../../../model/cluster-object";
import { kubernetesVersions } from "../../../../model/releases";
import type { DataCenterPlan } from "../../../../stacks/plan/data-center-plan";
import { addonsFile } from "../../../support/addons-file";
import { examplePlan } from "../../../support/example-plans";
import type { LooseDocument } from "./loose-document";

const lab = examplePlan("lab");
const small = examplePlan("small");
const authority = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
const all = byName(allClusterObjects(lab, authority));
const objectOf = (name: string, plan: DataCenterPlan = lab): LooseDocument =>
  byName(allClusterObjects(plan, authority))[name] ?? assert.fail(name);

test("kube-proxy, but for one library, and CoreDNS are what kubeadm of each release installs", () => {
  for (const version of kubernetesVersions) {
    const recorded = loadAll(readFileSync(addonsFile(version), "utf8")) as ClusterObject[];
    assert.equal(recorded.length, 12);
    const ours = byName(clusterObjects({ ...lab, kubernetes: { ...lab.kubernetes, version } }));
    for (const [name, object] of Object.entries(byName(recorded))) {
      assert.deepEqual(withoutLibrary(asStored(ours[name])), asStored(object), `${version}: ${name}`);
    }
  }
});

/** kubeadm's image has it; the container that is made of the node's programs does not. */
function withoutLibrary(object: unknown): unknown {
  const text = JSON.stringify(object, (_key, value) =>
    Array.isArray(value) ? value.filter((entry) => entry?.name !== "libm") : value,
  );
  return JSON.parse(text);
}

/** Without what no object of a cluster has: the version that kubeadm sends, and fields that the server leaves out. */
function asStored(object: unknown): unknown {
  const text = JSON.stringify(object, (key, value) =>
    key === "resourceVersion" || (key === "readOnly" && value === false) ? undefined : value,
  );
  return JSON.parse(text);
}

test("every kind of access that kubeadm gives to joining nodes is there", () => {
  const bindings = Object.values(all).filter(({ kind }) => kind.endsWith("Binding")) as LooseDocument[];
  const ofTokens = bindings.filter(({ subjects }) => JSON.stringify(subjects).includes("default-node-token"));
  assert.deepEqual(ofTokens.map(({ metadata }) => metadata.name).sort(), [
    "kube-proxy",
    "kubeadm:get-nodes",
    "kubeadm:kubelet-bootstrap",
    "kubeadm:kubelet-config",
    "kubeadm:node-autoapprove-bootstrap",
    "kubeadm:nodes-kubeadm-config",
  ]);
  for (const { roleRef, metadata } of bindings.filter(({ roleRef }) => roleRef.kind === "Role"))
    assert.ok(all[`Role ${metadata.namespace}/${roleRef.name}`], roleRef.name);
});

test("joining nodes read the same configuration as the first masters", () => {
  const cluster = load(objectOf("ConfigMap kube-system/kubeadm-config").data.ClusterConfiguration) as LooseDocument;
  assert.equal(cluster.controlPlaneEndpoint, lab.kubernetes.endpoint);
  assert.equal(cluster.kubernetesVersion, `v${lab.kubernetes.version}`);
  const kubelet = load(objectOf("ConfigMap kube-system/kubelet-config").data.kubelet) as LooseDocument;
  assert.deepEqual(kubelet.clusterDNS, [lab.kubernetes.dnsServiceIp]);
});

test("cluster-info names the API and its authority in the form that kubeadm writes", () => {
  assert.equal(
    objectOf("ConfigMap kube-public/cluster-info").data.kubeconfig,
    `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(authority).toString("base64")}
    server: https://192.168.56.10:6443
  name: ""
contexts: null
current-context: ""
kind: Config
users: null
`,
  );
});

test("flannel gets the pods' range and connects to the API through the floating IP", () => {
  assert.deepEqual(JSON.parse(objectOf("ConfigMap kube-flannel/kube-flannel-cfg").data["net-conf.json"]), {
    Network: lab.kubernetes.podCidr,
    EnableNFTables: true,
    Backend: { Type: "vxlan" },
  });
  const [container] = objectOf("DaemonSet kube-flannel/kube-flannel-ds").spec.template.spec.containers;
  const variables = Object.fromEntries(container.env.map(({ name, value }: Record<string, string>) => [name, value]));
  assert.equal(variables.KUBERNETES_SERVICE_HOST, lab.balancing.floatingIp);
  assert.equal(variables.KUBERNETES_SERVICE_PORT, "6443");
});

const podSpec = (plan: DataCenterPlan) => objectOf("Deployment kube-system/coredns", plan).spec.template.spec;

test("CoreDNS replicas run on different nodes if possible, and also run on a single node", () => {
  assert.ok(podSpec(lab).affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution);
  const lone = { ...lab, nodes: lab.nodes.filter(({ name }) => name === "master-1") };
  assert.equal(podSpec(lone).affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution, undefined);
});

test("with fast probes CoreDNS is asked every second, else as kubeadm does", () => {
  const withProbes = (fastProbes: boolean) => ({ ...lab, kubernetes: { ...lab.kubernetes, fastProbes } });
  assert.equal(podSpec(withProbes(true)).containers[0].readinessProbe.periodSeconds, 1);
  assert.equal(podSpec(withProbes(false)).containers[0].readinessProbe.periodSeconds, undefined);
});

test("without storage machines no object provisions volumes", () => {
  assert.doesNotMatch(JSON.stringify(clusterObjects(small)), /volume-provisioner|StorageClass/);
});

test("each object is of a known kind, no Secret, and names its namespace, which exists from the start or is an object", () => {
  const present = ["kube-system", "kube-public"];
  for (const [name, { kind, metadata }] of Object.entries(all)) {
    assert.ok(isClusterKind(kind), name);
    const { namespace } = metadata;
    if (namespace !== undefined) assert.ok(present.includes(namespace) || all[`Namespace ${namespace}`], name);
    assert.equal(namespace === undefined, /^(Cluster|Namespace|StorageClass)/.test(kind), name);
  }
});

test("the API path has the group, the namespace and the collection of an object", () => {
  const pathOf = (name: string) => clusterObjectPath(all[name] ?? assert.fail(name));
  assert.equal(pathOf("Namespace volumes"), "/api/v1/namespaces/volumes");
  assert.equal(
    pathOf("DaemonSet kube-system/kube-proxy"),
    "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy",
  );
  assert.equal(
    pathOf("ClusterRoleBinding kubeadm:get-nodes"),
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/kubeadm%3Aget-nodes",
  );
});

test("two objects of one name are refused", () => {
  const [first] = clusterObjects(lab) as [ClusterObject];
  assert.throws(() => byName([first, first]), /ConfigMap kube-system\/kubeadm-config twice/);
});

test("another mode of kube-proxy changes its pods, and not the text that running pods have", () => {
  const kubernetes = { ...lab.kubernetes, kubeProxy: "iptables" } as const;
  const other = byName(clusterObjects({ ...lab, kubernetes }));
  const settings = other["ConfigMap kube-system/kube-proxy-iptables"] as LooseDocument;
  assert.equal(other["ConfigMap kube-system/kube-proxy"], undefined);
  const text = load(settings.data["config.conf"]) as LooseDocument;
  assert.equal(text.mode, "iptables");
  assert.deepEqual(text.nodePortAddresses, ["primary"], "NodePorts answer on the same addresses in both modes");
  const { volumes, containers } = (other["DaemonSet kube-system/kube-proxy"] as LooseDocument).spec.template.spec;
  assert.equal(volumes[0].configMap.name, "kube-proxy-iptables");
  assert.deepEqual(volumes.at(-1).hostPath, { path: "/usr/lib/x86_64-linux-gnu/libm.so.6", type: "File" });
  assert.equal(containers[0].volumeMounts.at(-1).mountPath, volumes.at(-1).hostPath.path);
  const readable = other["Role kube-system/kube-proxy"] as LooseDocument;
  assert.deepEqual(readable.rules[0].resourceNames, ["kube-proxy-iptables"]);
});
