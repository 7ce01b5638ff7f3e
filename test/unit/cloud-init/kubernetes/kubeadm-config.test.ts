import assert from "node:assert/strict";
import { test } from "node:test";
import { loadAll } from "js-yaml";
import { initConfigurationFile, joinConfigurationFile } from "../../../../cloud-init/files/kubernetes/kubeadm-config";
import { releaseOf } from "../../../../model/releases";
import { type NodePlan, nodesOf } from "../../../../stacks/plan/data-center-plan";
import { examplePlan } from "../../../support/example-plans";
import type { LooseDocument } from "./loose-document";

const plan = examplePlan("lab");
const [master, secondMaster] = nodesOf(plan, "master") as [NodePlan, NodePlan];
const [worker] = nodesOf(plan, "worker") as [NodePlan];

const documents = (text: string): LooseDocument[] => loadAll(text) as LooseDocument[];
const documentOf = (kind: string): LooseDocument => {
  const found = documents(initConfigurationFile(plan, master)).find((document) => document.kind === kind);
  assert.ok(found, `no ${kind}`);
  return found;
};

test("init reads the node, the cluster and the kubelet, in this order", () => {
  const kinds = documents(initConfigurationFile(plan, master)).map((document) => document.kind);
  assert.deepEqual(kinds, ["InitConfiguration", "ClusterConfiguration", "KubeletConfiguration"]);
});

test("masters of one bootstrap differ only in name and address", () => {
  const own = initConfigurationFile(plan, master);
  const other = initConfigurationFile(plan, secondMaster);
  assert.notEqual(own, other);
  assert.equal(own.replaceAll(master.address, secondMaster.address).replaceAll(master.name, secondMaster.name), other);
});

test("the cluster's configuration has no etcd argument of a single member, because later joins inherit it", () => {
  const { local } = documentOf("ClusterConfiguration").etcd;
  assert.deepEqual(local, {
    extraArgs: [
      { name: "election-timeout", value: "400" },
      { name: "heartbeat-interval", value: "80" },
    ],
  });
});

test("the API's endpoint is the floating IP, and its certificate has every planned name", () => {
  const cluster = documentOf("ClusterConfiguration");
  assert.equal(cluster.controlPlaneEndpoint, plan.kubernetes.endpoint);
  assert.deepEqual(cluster.apiServer.certSANs, plan.kubernetes.certificateNames);
  assert.equal(cluster.kubernetesVersion, `v${plan.kubernetes.version}`);
});

test("every file that the API server uses is in a folder that its pod mounts", () => {
  const { extraArgs, extraVolumes } = documentOf("ClusterConfiguration").apiServer;
  const mounts: string[] = ["/etc/kubernetes/pki", ...extraVolumes.map((volume: LooseDocument) => volume.mountPath)];
  const paths: string[] = extraArgs
    .map((argument: LooseDocument) => argument.value)
    .filter((value: string) => value.startsWith("/"));
  assert.equal(paths.length, 7);
  for (const path of paths)
    assert.ok(
      mounts.some((mount) => path.startsWith(`${mount}/`)),
      path,
    );
});

test("every server of the control plane hides its profiles and accepts authenticated encryption only", () => {
  const { apiServer, controllerManager, scheduler } = documentOf("ClusterConfiguration");
  for (const { extraArgs } of [apiServer, controllerManager, scheduler]) {
    const values = Object.fromEntries(extraArgs.map(({ name, value }: Record<string, string>) => [name, value]));
    assert.equal(values.profiling, "false");
    assert.equal(values["tls-min-version"], "VersionTLS12");
    for (const suite of values["tls-cipher-suites"].split(","))
      assert.match(suite, /^TLS_ECDHE_\w+_(GCM|POLY1305)_SHA\d+$/);
  }
});

test("the API server limits events, refuses external IPs, and keeps kubeadm's own admission plugin", () => {
  const { extraArgs } = documentOf("ClusterConfiguration").apiServer;
  const plugins = extraArgs.find(({ name }: LooseDocument) => name === "enable-admission-plugins").value;
  assert.deepEqual(plugins.split(","), ["NodeRestriction", "EventRateLimit", "DenyServiceExternalIPs"]);
});

test("the kubelet accepts hosts with cgroup v1 and swap, and requests a signed serving certificate", () => {
  const kubelet = documentOf("KubeletConfiguration");
  assert.deepEqual(
    [kubelet.failCgroupV1, kubelet.failSwapOn, kubelet.cgroupDriver, kubelet.serverTLSBootstrap],
    [false, false, "cgroupfs", true],
  );
  assert.deepEqual(kubelet.clusterDNS, [plan.kubernetes.dnsServiceIp]);
});

test("the kubelet's thresholds are absolute, because its disk may be the host's", () => {
  const { evictionHard, imageGCHighThresholdPercent } = documentOf("KubeletConfiguration");
  // All of the kubelet's signals, because it does not watch signals that are left out.
  assert.deepEqual(
    Object.keys(evictionHard).sort(),
    ["imagefs.available", "imagefs.inodesFree", "memory.available", "nodefs.available", "nodefs.inodesFree"].sort(),
  );
  for (const signal of ["imagefs.available", "nodefs.available"]) assert.match(evictionHard[signal], /^\d+Gi$/);
  assert.equal(imageGCHighThresholdPercent, 100);
});

test("a worker joins by token and the CA's hash, without control-plane settings", () => {
  const [join] = documents(joinConfigurationFile(plan, worker)) as [LooseDocument];
  assert.deepEqual(join, {
    apiVersion: `kubeadm.k8s.io/${releaseOf(plan.kubernetes.version).kubeadmApi}`,
    kind: "JoinConfiguration",
    discovery: {
      bootstrapToken: {
        apiServerEndpoint: plan.kubernetes.endpoint,
        token: "000000.0000000000000000",
        caCertHashes: ["${secret:kubernetes-ca-hash}"],
      },
    },
    nodeRegistration: {
      name: worker.name,
      criSocket: "unix:///run/containerd/containerd.sock",
      imagePullPolicy: "Never",
      ignorePreflightErrors: ["SystemVerification"],
      kubeletExtraArgs: [{ name: "node-ip", value: worker.address }],
    },
  });
});

test("a master joins with its own API server and the patches of the bootstrap", () => {
  const [join] = documents(joinConfigurationFile(plan, secondMaster)) as [LooseDocument];
  assert.deepEqual(join.controlPlane.localAPIEndpoint, { advertiseAddress: secondMaster.address, bindPort: 6443 });
  assert.deepEqual(join.patches, documentOf("InitConfiguration").patches);
});
