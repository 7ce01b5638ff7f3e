import assert from "node:assert/strict";
import { test } from "node:test";
import { allClusterObjects } from "../../../../cloud-init/files/kubernetes/cluster-objects";
import { clusterInfo } from "../../../../cloud-init/files/kubernetes/kubeadm-objects";
import type { ClusterApi } from "../../../../guests/cluster-api";
import { type ClusterObject, clusterObjectPath } from "../../../../model/cluster-object";
import type { Role } from "../../../../model/roles";
import type { InventoryEntry } from "../../../../model/stack-outputs";
import type { DataCenterPlan } from "../../../../stacks/plan/data-center-plan";
import type { ApiClient } from "../../../../verify/api-client";
import { readClusterObjects } from "../../../../verify/health/cluster-objects";
import { readPods } from "../../../../verify/health/cluster-pods";
import * as cluster from "../../../../verify/health/cluster-state";
import { type Finding, healthy, unhealthy } from "../../../../verify/health/findings";
import { examplePlan } from "../../../support/example-plans";

const nowMs = Date.parse("2026-11-28T09:00:00Z");
const reason = "the API does not respond: ECONNREFUSED";
const silent: cluster.ClusterState = {
  nodes: { reason },
  pods: { reason },
  workloads: { reason },
  leases: { "kube-scheduler": { reason }, "kube-controller-manager": { reason } },
};
const plan = examplePlan("lab");
const shown = (findings: readonly Finding[]): string =>
  findings.map(({ of, state, observed }) => `${of} ${state}: ${observed}`).join("\n");

const entry = (name: string, role: string): InventoryEntry => ({
  ...{ name, role, address: "", fqdn: "", macs: [], hostKey: "" },
});
const inventory = [entry("gateway", "gateway"), entry("master-1", "master"), entry("worker-1", "worker")];
const node = (name: string, conditions: Readonly<Record<string, string>>): cluster.NodeObject => ({
  metadata: { name },
  status: {
    conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })),
    nodeInfo: { kubeletVersion: "v1.2.3" },
  },
});
const nodes = (...value: readonly cluster.NodeObject[]): string =>
  shown(cluster.readNodes({ ...silent, nodes: { value } }, inventory));

test("every planned Node is Ready, and there is no other", () => {
  const ready = { Ready: "True", DiskPressure: "False" };
  assert.equal(
    nodes(node("master-1", ready), node("worker-1", ready)),
    "master-1 healthy: Ready\nworker-1 healthy: Ready",
  );
  assert.match(nodes(node("master-1", ready)), /worker-1 unhealthy: has no Node/);
  assert.match(
    nodes(node("master-1", { Ready: "Unknown" }), node("worker-1", ready)),
    /master-1 unhealthy: is not Ready/,
  );
  assert.match(nodes(node("master-1", { ...ready, DiskPressure: "True" })), /master-1 unhealthy: has DiskPressure/);
  const cordoned = { ...node("worker-1", ready), spec: { unschedulable: true } };
  assert.match(nodes(node("master-1", ready), cordoned), /worker-1 unhealthy: is cordoned/);
  const taints = [{ key: "node.kubernetes.io/out-of-service" }];
  assert.match(
    nodes({ ...node("worker-1", ready), spec: { taints } }),
    /worker-1 unhealthy: is Ready and still fenced/,
  );
  assert.match(nodes(node("worker-9", ready)), /worker-9 unhealthy: is a Node without a planned machine/);
  assert.equal(shown(cluster.readNodes(silent, inventory)), `master-1 unknown: ${reason}\nworker-1 unknown: ${reason}`);
});

test("a master that works and has the control plane's taint is named", () => {
  const ready = node("master-1", { Ready: "True" });
  const tainted = { ...ready, spec: { taints: [{ key: "node-role.kubernetes.io/control-plane" }] } };
  const read = (roles: readonly Role[], value: cluster.NodeObject): string =>
    shown(cluster.readNodes({ ...silent, nodes: { value: [value] } }, [{ ...entry("master-1", "master"), roles }]));
  assert.match(read(["master", "etcd", "worker"], tainted), /master-1 unhealthy: has the taint .*\/control-plane/);
  assert.equal(read(["master", "etcd", "worker"], ready), "master-1 healthy: Ready");
  assert.equal(read(["master", "etcd"], tainted), "master-1 healthy: Ready");
});

test("a Node without the program for NetworkPolicies is named", () => {
  const [old, present] = [node("worker-1", { Ready: "True" }), node("worker-2", { Ready: "True" })];
  const labels = { "groundplane.internal/network-policies": "enforced" };
  const value = [old, { ...present, metadata: { ...present.metadata, labels } }];
  assert.equal(
    shown(cluster.readPolicies({ ...silent, nodes: { value } }, [healthy("worker-2", "has the rules")])),
    "worker-1 unhealthy: does not enforce NetworkPolicies\nworker-2 healthy: enforces NetworkPolicies",
  );
  const withoutRules = unhealthy("worker-2", "its rules for NetworkPolicies are missing");
  assert.match(
    shown(cluster.readPolicies({ ...silent, nodes: { value } }, [withoutRules])),
    /worker-2 unhealthy: its rules for NetworkPolicies are missing$/,
  );
  assert.equal(shown(cluster.readPolicies(silent, [withoutRules])), `worker-2 unknown: ${reason}`);
});

const pod = (namespace: string, phase: string, ready: string): cluster.PodObject => ({
  metadata: { namespace, name: "pod" },
  status: { phase, conditions: [{ type: "Ready", status: ready }] },
});
const pods = (
  value: readonly cluster.PodObject[],
  workloads: readonly cluster.WorkloadObject[] = [],
  of: readonly InventoryEntry[] = [],
): string => shown(readPods({ ...silent, pods: { value }, workloads: { value: workloads } }, of));

test("pods of the data centre are Ready; those of users do not count", () => {
  const system = pod("kube-system", "Running", "True");
  assert.equal(
    pods([system, pod("default", "Pending", "False"), pod("kube-flannel", "Succeeded", "False")]),
    "kube-system/pod healthy: Ready",
  );
  assert.match(pods([system, pod("volumes", "Pending", "False")]), /volumes\/pod unhealthy: is Pending, not Ready/);
  assert.match(pods([]), /unhealthy: it has no pods of its own/);
  const daemonSet = { kind: "DaemonSet", metadata: { namespace: "kube-flannel", name: "flannel" }, spec: {} } as const;
  const status = { desiredNumberScheduled: 5, numberReady: 4 };
  assert.match(
    pods([system], [{ ...daemonSet, status }]),
    /kube-flannel\/flannel unhealthy: DaemonSet has 4 of 5 pods/,
  );
  assert.equal(shown(readPods(silent, [])), `cluster unknown: ${reason}`);
});

test("a master without one of its static pods is named, although other masters have it", () => {
  const names = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"];
  const present = names.map((name) => ({
    ...pod("kube-system", "Running", "True"),
    metadata: { namespace: "kube-system", name: `${name}-master-1` },
  }));
  assert.doesNotMatch(pods(present, [], inventory), /missing/);
  assert.match(
    pods(present.slice(0, 2), [], inventory),
    /^kube-system\/kube-scheduler-master-1 unhealthy: is missing\nkube-system\/etcd-master-1 unhealthy: is missing\n/,
  );
});

const leader = (lease: cluster.Told<cluster.LeaseObject>): string =>
  shown(cluster.readLeaders({ ...silent, leases: { ...silent.leases, "kube-scheduler": lease } }, nowMs)).split(
    "\n",
  )[0] ?? "";
const lease = (holderIdentity: string, renewTime: string) => ({
  value: { spec: { holderIdentity, renewTime, leaseDurationSeconds: 15 } },
});

test("leaders renew their leases", () => {
  const holder = "master-2_0f1e2d3c-0000-4000-8000-000000000000";
  assert.equal(leader(lease(holder, "2026-11-28T08:59:50.000000Z")), "kube-scheduler healthy: master-2 leads");
  assert.match(
    leader(lease(holder, "2026-11-28T08:59:00.000000Z")),
    /unhealthy: its last leader master-2 has been silent for 60 s/,
  );
  assert.match(leader(lease("", "2026-11-28T08:59:59Z")), /unhealthy: has no leader/);
  assert.match(leader({ reason: "the API responds with status 404" }), /unhealthy: never had a leader/);
  assert.match(leader({ reason }), /unknown: the API does not respond/);
});

const api = (answer: (path: string) => number | Error): ApiClient => ({
  async request(_method, path) {
    const status = answer(path);
    if (status instanceof Error) throw status;
    return { status, text: '{"items":[]}' };
  },
  stream: () => Promise.reject(new Error("not used")),
});

const pem = (name: string): string => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;
const kubeconfigWith = (authorities: string): string => `clusters:
  - cluster: {server: "https://127.0.0.1:1", certificate-authority-data: ${Buffer.from(authorities).toString("base64")}}
users: [{user: {client-certificate-data: "", client-key-data: ""}}]`;
const kubeconfig = kubeconfigWith(pem("authority"));
const objects = allClusterObjects(plan, pem("authority"));

/** @param change of the object that the cluster has; undefined: it has none */
const present = (change: (object: ClusterObject) => ClusterObject | undefined): ClusterApi => ({
  async request(_method, path) {
    const object = objects.find((candidate) => clusterObjectPath(candidate) === path);
    const live = object && change(object);
    return live ? { status: 200, body: live } : { status: 404, body: {} };
  },
  close: () => undefined,
});
const reading = (change: Parameters<typeof present>[0], text = kubeconfig): Promise<readonly Finding[]> =>
  readClusterObjects(text, plan, () => present(change));

test("objects of the data centre that are missing or changed are named", async () => {
  const all = await reading((object) => object);
  assert.ok(all.length > 10 && all.every(({ state }) => state === "healthy"));
  const given = await reading((object) => object, kubeconfigWith(pem("authority") + pem("issuer")));
  assert.deepEqual(given, all, "the kubeconfig also has the issuers of a given authority");
  const isVolumes = ({ kind, metadata }: ClusterObject): boolean => kind === "Namespace" && metadata.name === "volumes";
  const missing = await reading((object) => (isVolumes(object) ? undefined : object));
  assert.equal(shown(missing.filter(({ state }) => state !== "healthy")), "Namespace volumes unhealthy: is missing");
  const changed = await reading((object) =>
    object.kind === "StorageClass" ? { ...object, provisioner: "x" } : object,
  );
  assert.match(
    shown(changed.filter(({ state }) => state !== "healthy")),
    /^StorageClass \S+ unhealthy: was changed: provisioner$/,
  );
});

test("during and after a rotation of the cluster's authority, nodes that join may learn another one, too", async () => {
  const [own, former] = [pem("new"), pem("former")];
  const stateOf = async (asked: DataCenterPlan, offered: string): Promise<string | undefined> => {
    const info = clusterInfo(plan, offered);
    const isInfo = ({ metadata }: ClusterObject) => metadata.name === "cluster-info";
    const findings = await readClusterObjects(kubeconfigWith(own), asked, () =>
      present((object) => (isInfo(object) ? info : object)),
    );
    return findings.find(({ of }) => /cluster-info$/.test(of))?.state;
  };
  const rotated = { ...plan, rotations: { "kubernetes-ca": 1 } };
  assert.equal(await stateOf(plan, own), "healthy");
  assert.equal(await stateOf(plan, own + former), "unhealthy");
  assert.equal(await stateOf(rotated, own + former), "healthy");
  assert.equal(await stateOf(rotated, former), "unhealthy");
});

test("objects are unknown without an answer or a plan", async () => {
  const refused: ClusterApi = { request: () => Promise.reject(new Error("ECONNREFUSED")), close: () => undefined };
  assert.equal(shown(await readClusterObjects(kubeconfig, plan, () => refused)), `cluster unknown: ${reason}`);
  const without = await readClusterObjects(kubeconfig, { reason: "there is no stack file" });
  assert.equal(shown(without), "cluster unknown: there is no stack file");
});

test("an API that does not respond leaves every part of the cluster without an answer", async () => {
  const state = await cluster.askCluster(api(() => new Error("ECONNREFUSED")));
  assert.deepEqual(state, silent);
  const answered = await cluster.askCluster(api(() => 200));
  assert.deepEqual(answered.workloads, { value: [] });
});
