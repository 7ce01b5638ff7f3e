import assert from "node:assert/strict";
import { test } from "node:test";
import { drawTopology } from "../../../view/picture/draw-topology";
import { topologyOf } from "../../../view/topology";
import { examplePlan, exampleStacks } from "../../support/example-plans";
import { exampleSettings } from "../../support/example-stacks";
import { writtenPlan } from "../../support/written-plan";

const manyWorkers = writtenPlan({ ...exampleSettings("small"), pools: { workers: { count: 50 } } });

for (const [name, plan] of [
  ...exampleStacks.map((stack) => [stack, examplePlan(stack)] as const),
  ["many", manyWorkers],
] as const) {
  test(`the drawing of ${name} has every machine with its address, inside of the frame, and all elements are closed`, () => {
    const svg = drawTopology(topologyOf(plan), "dark");
    for (const node of plan.nodes) assert.ok(svg.includes(`>${node.name}</text>`), node.name);
    assert.doesNotMatch(svg, /NaN|undefined/);
    const [, width = 0, height = 0] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).map(Number);
    const boxes = [...svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"/g)];
    assert.ok(boxes.length > plan.nodes.length);
    for (const [x = 0, y = 0, wide = 0, high = 0] of boxes.map((box) => box.slice(1).map(Number)))
      assert.ok(x >= 0 && y >= 0 && x + wide <= width && y + high <= height);
    const names = [...svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)];
    const open = names.filter(([, end, , closed]) => end === "" && closed === "").length;
    assert.equal(open, names.filter(([, end]) => end === "/").length);
  });
}

test("a drawing is in the colours of its theme, and names the data centre for those who do not see it", () => {
  const topology = topologyOf(examplePlan("lab"));
  assert.notEqual(drawTopology(topology, "light"), drawTopology(topology, "dark"));
  assert.match(drawTopology(topology, "light"), /<title>The data centre lab: gateway, balancer-1/);
});
