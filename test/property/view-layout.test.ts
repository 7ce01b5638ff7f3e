import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import type { Box } from "../../view/picture/boxes";
import { type Layout, layOut, pillAt, sizes } from "../../view/picture/layout";
import type { Topology } from "../../view/picture/state";
import { topologyOf } from "../../view/topology";
import { validConfiguration } from "../support/arbitrary-configuration";
import { examplePlan } from "../support/example-plans";

const overlap = (one: Box, other: Box): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

const isInside = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

function assertApart(boxes: readonly Box[]): void {
  for (const [index, one] of boxes.entries()) {
    for (const other of boxes.slice(index + 1)) {
      assert.ok(!overlap(one, other), `${JSON.stringify(one)} overlaps ${JSON.stringify(other)}`);
    }
  }
}

function assertDrawn(layout: Layout, topology: Topology): void {
  const picture = { x: 0, y: 0, width: layout.width, height: layout.height };
  const { host, gateway, bands } = layout;
  assertApart([host, gateway, ...bands]);
  for (const box of [host, gateway, ...bands]) assert.ok(isInside(box, picture), JSON.stringify(box));
  for (const band of bands) {
    for (const card of band.cards) assert.ok(isInside(card, band), JSON.stringify(card));
  }
  assertApart(bands.flatMap(({ cards }) => cards));
  for (const { name, roles } of topology.machines) {
    if (!roles.includes("balancer")) continue;
    const pill = { ...pillAt(layout, name), width: sizes.pillWidth, height: sizes.pillHeight };
    const others = bands.flatMap(({ cards }) => cards).filter(({ machine }) => machine.name !== name);
    assert.ok(
      others.every((card) => !overlap(pill, card)),
      `the floating IP at ${name} covers another machine`,
    );
    assert.ok(isInside(pill, picture));
  }
}

const widths = fc.integer({ min: 320, max: 2_000 });

test("nothing overlaps in the picture of any plan, at any width", () => {
  fc.assert(
    fc.property(validConfiguration, widths, (configuration, width) => {
      const topology = topologyOf(planDataCenter(configuration));
      assertDrawn(layOut(topology, width), topology);
    }),
  );
});

test("nothing overlaps with fifty workers", () => {
  const { machines, ...rest } = topologyOf(examplePlan("lab"));
  const [worker] = machines.filter(({ roles }) => roles.includes("worker"));
  assert.ok(worker);
  const workers = Array.from({ length: 50 }, (_, index) => ({ ...worker, name: `worker-${index + 1}` }));
  const topology = { ...rest, machines: [...machines.filter(({ roles }) => !roles.includes("worker")), ...workers] };
  for (const width of [320, 390, 768, 1024, 1440]) assertDrawn(layOut(topology, width), topology);
});
