import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyState } from "../../../view/live-view";
import { observed } from "../../../view/observed";
import { checkPanels, findingsByMachine, plannedCapacity, rowsOf } from "../../../view/picture/check-panels";
import { topologyOf } from "../../../view/topology";
import { examplePlan } from "../../support/example-plans";
import { ScriptedStack } from "../../support/scripted-stack";

async function stateOf(name: string, change: (stack: ScriptedStack) => void = () => undefined) {
  const stack = new ScriptedStack(examplePlan(name));
  change(stack);
  const now = observed(name, "fake", await stack.askAll(), "2026-01-01T00:00:00.000Z");
  return { ...emptyState(topologyOf(stack.plan), "fake"), ...now };
}

test("a panel has the rows of its subject as `status` has them, and none that do not apply", async () => {
  const state = await stateOf("lab");
  for (const panel of Object.values(checkPanels))
    for (const row of rowsOf(state, panel)) assert.ok(state.checks.includes(row) && row.state !== "inapplicable");
  assert.deepEqual(rowsOf(state, checkPanels.backups), []);
  const full = await stateOf("lab", (stack) => {
    stack.problems.set("worker-1", { "disk-room": "/ 8000M 10M 100 90" });
  });
  const [row] = rowsOf(full, checkPanels.capacity);
  assert.equal(row?.state, "unhealthy");
  assert.ok(row);
  const found = new Map(findingsByMachine(row));
  assert.deepEqual(
    found.get("worker-1")?.map((each) => each.observed),
    ["/ has 10 of 8000 MiB free"],
  );
});

test("the planned capacity is that of all machines", async () => {
  const state = await stateOf("single");
  assert.match(plannedCapacity(state), /^Planned for \d+ machines: \d+ CPUs, \d+\.\d GiB of memory, \d+ data disks\.$/);
});
