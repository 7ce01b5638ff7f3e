import assert from "node:assert/strict";
import { test } from "node:test";
import { type FenceQuestion, refuseFence, refuseUndo, type SeenMachine } from "../../../cli/commands/fence";
import { readAwaitingFence } from "../../../verify/health/cluster-pods";
import { healthy, unhealthy } from "../../../verify/health/findings";

const machinesWith = (off: readonly string[]): readonly SeenMachine[] =>
  [
    { name: "gateway", roles: ["gateway"] as const },
    ...["master-1", "master-2", "master-3"].map((name) => ({ name, roles: ["master", "etcd"] as const })),
    ...["worker-1", "worker-2"].map((name) => ({ name, roles: ["worker"] as const })),
  ].map((machine) => ({ ...machine, power: off.includes(machine.name) ? "stopped" : "running" }));

const question = (name: string, rest: Partial<FenceQuestion> = {}): FenceQuestion => ({
  ...{ name, machines: machinesWith([]), ready: false, force: false },
  ...rest,
});

test("a node that does not respond may be fenced, whether its machine runs or not", () => {
  assert.equal(refuseFence(question("worker-1")), undefined);
  assert.equal(refuseFence(question("worker-1", { machines: machinesWith(["worker-1"]) })), undefined);
  // Its Node stays Ready for some seconds after the power has gone.
  assert.equal(refuseFence(question("worker-1", { machines: machinesWith(["worker-1"]), ready: true })), undefined);
});

test("the power of a working node is cut only with consent", () => {
  assert.equal(refuseFence(question("worker-1", { ready: true }))?.id, "node-ready");
  assert.equal(refuseFence(question("worker-1", { ready: true, force: true })), undefined);
});

test("etcd keeps its majority, except with consent", () => {
  assert.equal(refuseFence(question("master-1")), undefined);
  const one = { machines: machinesWith(["master-3"]) };
  assert.equal(refuseFence(question("master-1", one))?.id, "quorum-at-risk");
  assert.equal(refuseFence(question("master-1", { ...one, force: true })), undefined);
  assert.equal(refuseFence(question("master-3", one)), undefined, "a machine that is off is no loss");
});

test("a machine outside the cluster has no pods, and without a running master no one can tell the cluster", () => {
  assert.equal(refuseFence(question("gateway", { force: true }))?.id, "not-a-node");
  const alone = { machines: machinesWith(["master-2", "master-3"]), force: true };
  assert.equal(refuseFence(question("master-1", alone))?.id, "no-master");
  assert.equal(refuseUndo(question("master-1", alone))?.id, "no-master");
});

test("a fence ends by hand only for a node that is Ready, or with consent", () => {
  assert.equal(refuseUndo(question("worker-1"))?.id, "node-not-ready");
  assert.equal(refuseUndo(question("worker-1", { ready: true })), undefined);
  assert.equal(refuseUndo(question("worker-1", { force: true })), undefined);
  assert.equal(refuseUndo(question("gateway", { force: true }))?.id, "not-a-node");
});

test("status names the pods that were deleted on a node that does not respond", () => {
  const node = (name: string, ready: boolean, taints: readonly { readonly key: string }[] = []) => ({
    metadata: { name },
    spec: { taints },
    status: {
      conditions: [{ type: "Ready", status: ready ? "True" : "Unknown" }],
      nodeInfo: { kubeletVersion: "v1" },
    },
  });
  const pod = (name: string, nodeName: string, deleted = true) => ({
    metadata: { name, namespace: "shop", ...(deleted && { deletionTimestamp: "2026-11-28T10:00:00Z" }) },
    spec: { nodeName },
    status: { phase: "Running" },
  });
  const fence = [{ key: "node.kubernetes.io/out-of-service" }];
  const nodes = [node("worker-1", false), node("worker-2", true), node("worker-3", false, fence)];
  const pods = [
    pod("db-0", "worker-1"),
    pod("web-1", "worker-1", false),
    pod("db-1", "worker-2"),
    pod("db-2", "worker-3"),
  ];
  assert.deepEqual(readAwaitingFence({ nodes: { value: nodes }, pods: { value: pods } }), [
    unhealthy("worker-1", "shop/db-0 wait for its return"),
  ]);
  assert.deepEqual(readAwaitingFence({ nodes: { value: nodes }, pods: { value: [] } }), [
    healthy("cluster", "no pod waits for a lost node"),
  ]);
  assert.equal(readAwaitingFence({ nodes: { reason: "silent" }, pods: { value: [] } })[0]?.state, "unknown");
});
