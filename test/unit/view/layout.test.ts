import assert from "node:assert/strict";
import { test } from "node:test";
import { cardsOf, layOut, pillAt, sizes } from "../../../view/picture/layout";
import { topologyOf } from "../../../view/topology";
import { examplePlan, exampleStacks } from "../../support/example-plans";

test("each example stack has a card for every machine, and its flows", () => {
  for (const stack of exampleStacks) {
    const topology = topologyOf(examplePlan(stack));
    const cards = cardsOf(layOut(topology, 1200));
    assert.deepEqual([...cards.keys()].sort(), topology.machines.map(({ name }) => name).sort(), stack);
    assert.ok(topology.flows.some(({ from, to }) => from === "host" && to === "floating-ip"));
  }
});

test("the floating IP is at its holder, and elsewhere while it has none", () => {
  const layout = layOut(topologyOf(examplePlan("lab")), 1200);
  const [one, other, none] = ["balancer-1", "balancer-2", undefined].map((holder) => pillAt(layout, holder));
  assert.notDeepEqual(one, other);
  assert.notDeepEqual(one, none);
  const card = cardsOf(layout).get("balancer-2");
  assert.ok(card && other && Math.abs(other.y - card.y) < sizes.pillHeight && other.x >= card.x);
});

test("a wide picture has an arrow for what passes between segments, a narrow one none", () => {
  const topology = topologyOf(examplePlan("production"));
  const labels = layOut(topology, 1200).arrows.map(({ label }) => label);
  for (const label of ["API", "etcd", "volumes"]) assert.ok(labels.includes(label), `${label}: ${labels}`);
  assert.deepEqual(layOut(topology, 400).arrows, []);
});
