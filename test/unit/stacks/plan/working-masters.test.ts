import assert from "node:assert/strict";
import { test } from "node:test";
import { loadAll } from "js-yaml";
import {
  controlPlaneConfigurationFile,
  initConfigurationFile,
  joinConfigurationFile,
} from "../../../../cloud-init/files/kubernetes/kubeadm-config";
import { renderNftablesConf } from "../../../../cloud-init/files/nftables-conf";
import { renderNodeSeed } from "../../../../cloud-init/render-node-seed";
import { renderDiagram } from "../../../../review/render-diagram";
import { nodesOf } from "../../../../stacks/plan/data-center-plan";
import { stopOrder } from "../../../../stacks/plan/stop-order";
import { expendableWorkers } from "../../../../verify/faults/workers";
import { questionsOf } from "../../../../verify/health/questions";
import { recordDataCenter } from "../../../support/recorded-graph";
import { writtenPlan } from "../../../support/written-plan";

const storage = { count: 3, disks: [{ name: "brick", sizeGiB: 4 }] };
const planOf = (masters: number, workers: number, roles: readonly string[] = ["worker"]) =>
  writtenPlan({
    pools: { balancers: { count: 1 }, masters: { count: masters, roles }, workers: { count: workers }, storage },
  });
const plan = planOf(3, 0);
const closed = planOf(3, 0, []);
const [master] = nodesOf(plan, "master");
const [closedMaster] = nodesOf(closed, "master");
assert.ok(master && closedMaster);

test("a master that works has all of its roles, and nothing else about the machine differs", () => {
  assert.deepEqual(master.roles, ["master", "etcd", "worker"]);
  assert.deepEqual({ ...master, roles: closedMaster.roles }, closedMaster);
  assert.deepEqual(
    nodesOf(plan, "worker").map(({ name }) => name),
    ["master-1", "master-2", "master-3"],
  );
});

test("new masters register without a taint, and the file that running masters follow does not change", () => {
  const taintsIn = (text: string) =>
    (loadAll(text) as { readonly kind: string; readonly nodeRegistration?: { readonly taints?: unknown } }[])
      .filter(({ kind }) => /^(?:Init|Join)Configuration$/.test(kind))
      .map(({ nodeRegistration }) => nodeRegistration?.taints);
  assert.deepEqual(taintsIn(initConfigurationFile(plan, master)), [[]]);
  assert.deepEqual(taintsIn(joinConfigurationFile(plan, master)), [[]]);
  assert.deepEqual(taintsIn(initConfigurationFile(closed, closedMaster)), [undefined]);
  assert.equal(controlPlaneConfigurationFile(plan, master), controlPlaneConfigurationFile(closed, closedMaster));
});

test("masters that work mount the volume, and the firewall and the volume let them", () => {
  const files = (of: typeof plan, node: typeof master) => renderNodeSeed(of, node).files.map(({ path }) => path);
  const mount = "/etc/systemd/system/var-lib-groundplane-volumes-data.mount";
  assert.ok(files(plan, master).includes(mount));
  assert.ok(!files(closed, closedMaster).includes(mount));
  const workers = /set worker \{ type ipv4_addr; flags interval; elements = \{ (.*) \} \}/;
  assert.equal(
    workers.exec(renderNftablesConf(plan))?.[1],
    "192.168.57.11-192.168.57.191, 192.168.58.11-192.168.59.127",
  );
  assert.equal(workers.exec(renderNftablesConf(closed))?.[1], "192.168.58.11-192.168.59.127");
  assert.deepEqual(plan.volume?.clients.slice(0, 2), ["192.168.57.0/24", "192.168.58.0/23"]);
});

test("it is asked as a master and as a worker, and stops with the last of its roles", () => {
  const asked = questionsOf(master.roles);
  for (const question of ["api-server", "etcd-status", "mounts"] as const) assert.ok(asked.includes(question));
  const present = new Set(planOf(1, 1).nodes.map(({ name }) => name));
  const order = stopOrder(planOf(1, 1), present);
  assert.deepEqual(order.flat().slice(0, 2), ["worker-1", "storage-1"]);
  assert.ok(order.flat().indexOf("master-1") > order.flat().indexOf("storage-3"));
});

test("each machine is created once, and the gate waits for each Node once", async () => {
  const graph = await recordDataCenter(planOf(3, 1));
  const names = graph.filter(({ type }) => type === "groundplane:index:Machine").map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const gate = graph.find(({ name }) => name === "ready-nodes") ?? assert.fail("no gate");
  assert.deepEqual((gate.inputs.command as string[]).slice(1), ["master-1", "master-2", "master-3", "worker-1"]);
});

test("verify kills a master for its pods only if no other worker can be killed, and the cluster survives it", () => {
  const names = (masters: number, workers: number) =>
    expendableWorkers(planOf(masters, workers)).map(({ name }) => name);
  assert.deepEqual(names(3, 2), ["worker-1", "worker-2"]);
  assert.deepEqual(names(1, 1), ["worker-1"]);
  assert.deepEqual(names(3, 0), ["master-1", "master-2", "master-3"]);
  assert.deepEqual(names(1, 0), []);
});

test("the diagram shows the further role", () => {
  assert.match(renderDiagram(plan, "text"), /─ master-1 {5}192\.168\.57\.11 {2}\+ worker\n/);
  assert.match(renderDiagram(plan, "mermaid"), /master_1\["master-1<br\/>192\.168\.57\.11<br\/>\+ worker"\]/);
  assert.doesNotMatch(renderDiagram(closed, "text"), /\+ worker/);
});
