import assert from "node:assert/strict";
import { test } from "node:test";
import { loadAll } from "js-yaml";
import { initConfigurationFile, joinConfigurationFile } from "../../../../cloud-init/files/kubernetes/kubeadm-config";
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

test("init reads the node, the cluster, the kubelet and kube-proxy, in this order", () => {
  const kinds = documents(initConfigurationFile(plan, master)).map((document) => document.kind);
  assert.deepEqual(kinds, [
    "InitConfiguration",
    "ClusterConfiguration",
    "KubeletConfiguration",
    "KubeProxyConfiguration",
  ]);
});

test("masters of one bootstrap differ only in name and address", () => {
  const own = initConfigurationFile(plan, master);
  const other = initConfigurationFile(plan, secondMaster);
  assert.notEqual(own, other);
  assert.equal(own.replaceAll(master.address, secondMaster.address).replaceAll(master.name, secondMaster.name), other);
});

test("the cluster's configuration says nothing about etcd that holds for one member alone: later joins inherit it", () => {
  const { local } = documentOf("ClusterConfiguration").etcd;
  assert.deepEqual(local, {
    extraArgs: [
      { name: "election-timeout", value: "400" },
      { name: "heartbeat-interval", value: "80" },
    ],
  });
});

test("the API is reached through the floating IP and certified for every planned name", () => {
  const cluster = documentOf("ClusterConfiguration");
  assert.equal(cluster.controlPlaneEndpoint, plan.kubernetes.endpoint);
  assert.deepEqual(cluster.apiServer.certSANs, plan.kubernetes.certificateNames);
  assert.equal(cluster.kubernetesVersion, `v${plan.kubernetes.version}`);
});

test("every file the API server is told to use lies in a folder that is mounted into it", () => {
  const { extraArgs, extraVolumes } = documentOf("ClusterConfiguration").apiServer;
  const mounts: string[] = ["/etc/kubernetes/pki", ...extraVolumes.map((volume: LooseDocument) => volume.mountPath)];
  const paths: string[] = extraArgs
    .map((argument: LooseDocument) => argument.value)
    .filter((value: string) => value.startsWith("/"));
  assert.equal(paths.length, 5);
  for (const path of paths)
    assert.ok(
      mounts.some((mount) => path.startsWith(`${mount}/`)),
      path,
    );
});

test("the kubelet runs on hosts with cgroup v1 and swap, and asks for a signed serving certificate", () => {
  const kubelet = documentOf("KubeletConfiguration");
  assert.deepEqual(
    [kubelet.failCgroupV1, kubelet.failSwapOn, kubelet.cgroupDriver, kubelet.serverTLSBootstrap],
    [false, false, "cgroupfs", true],
  );
  assert.deepEqual(kubelet.clusterDNS, [plan.kubernetes.dnsServiceIp]);
});

test("no threshold of the kubelet is a part of a disk that may be the host's", () => {
  const { evictionHard, imageGCHighThresholdPercent } = documentOf("KubeletConfiguration");
  // Every one of kubelet's own: whichever is left out is not watched.
  assert.deepEqual(
    Object.keys(evictionHard).sort(),
    ["imagefs.available", "imagefs.inodesFree", "memory.available", "nodefs.available", "nodefs.inodesFree"].sort(),
  );
  for (const signal of ["imagefs.available", "nodefs.available"]) assert.match(evictionHard[signal], /^\d+Gi$/);
  assert.equal(imageGCHighThresholdPercent, 100);
});

test("a worker joins by token and the CA's hash, without anything of a control plane", () => {
  const [join] = documents(joinConfigurationFile(plan, worker)) as [LooseDocument];
  assert.deepEqual(join, {
    apiVersion: "kubeadm.k8s.io/v1beta4",
    kind: "JoinConfiguration",
    discovery: {
      bootstrapToken: {
        apiServerEndpoint: plan.kubernetes.endpoint,
        token: "${secret:bootstrap-token}",
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

test("a master joins with an API server of its own and the same patches as at bootstrap", () => {
  const [join] = documents(joinConfigurationFile(plan, secondMaster)) as [LooseDocument];
  assert.deepEqual(join.controlPlane.localAPIEndpoint, { advertiseAddress: secondMaster.address, bindPort: 6443 });
  assert.deepEqual(join.patches, documentOf("InitConfiguration").patches);
});
