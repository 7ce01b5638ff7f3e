import assert from "node:assert/strict";
import { test } from "node:test";
import { stopOrder } from "../../../../stacks/plan/stop-order";
import { examplePlan } from "../../../support/example-plans";

const lab = examplePlan("lab");

test("workloads stop first, and the gateway stops last", () => {
  assert.deepEqual(stopOrder(lab, new Set(lab.nodes.map(({ name }) => name))), [
    ["worker-1", "worker-2"],
    ["storage-1", "storage-2", "storage-3"],
    ["master-1", "master-2", "master-3"],
    ["balancer-1", "balancer-2"],
    ["gateway"],
  ]);
});

test("only existing machines are stopped, unplanned machines first", () => {
  assert.deepEqual(stopOrder(lab, new Set(["gateway", "worker-9", "master-2"])), [
    ["worker-9"],
    ["master-2"],
    ["gateway"],
  ]);
});

test("a stack without machines has nothing to stop", () => {
  assert.deepEqual(stopOrder(lab, new Set()), []);
});
