// A roll of a node to another image that is killed after every step, on simulated machines and guests.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { stride } from "../support/every-moment";
import { other, rollOf } from "../support/image-roll";
import { ownDataFolder } from "../support/own-data-folder";

ownDataFolder();
const { assertConverged, broken, dies, isCancelled, node, Process, standingStack, stateOf, up } = rollOf(
  "small",
  "worker-1",
);
let present = "";
beforeEach(async () => {
  present = await standingStack();
});

test("a roll that is killed after any step converges in the next up, also after a second kill", async () => {
  const { generation } = await stateOf(node);
  let from = present;
  let to = other;
  for (let steps = 0, died = true; died; steps += stride) {
    died = await dies(steps, to);
    if (steps % 2 === 0) await dies(Math.ceil(steps / 2), to);
    await up(new Process(), to);
    await assertConverged(to, generation, `killed after ${steps} steps`);
    [from, to] = [to, from];
  }
});

test("a roll that is killed after any step is taken back by an up with the former plan", async () => {
  const { generation } = await stateOf(node);
  // Other steps than those of the test before.
  for (let steps = stride - 1; await dies(steps, other); steps += stride) {
    const wasDropped = (await stateOf(node)).spec.image === other && (await stateOf(node)).formerImage === undefined;
    await up(new Process(), present);
    await assertConverged(present, generation, `killed after ${steps} steps${wasDropped ? ", when it was done" : ""}`);
  }
});

test("a failing roll that is killed after any step converges to whatever the next plan says", async () => {
  const { generation } = await stateOf(node);
  // Most steps repeat the question whether it is ready.
  for (const steps of [6, 10, 13, 16, 19, 22, 25, 28, 31, 34, 60]) {
    await dies(steps, other, broken);
    const wanted = steps % 2 === 0 ? present : other;
    await up(new Process(), wanted);
    await assertConverged(wanted, generation, `killed after ${steps} steps`);
    await up(new Process(), present);
  }
});

test("a failing roll of the only worker that is cancelled leaves it on its former disk", async () => {
  const { generation } = await stateOf(node);
  for (let steps = 0, wasCancelled = true; wasCancelled; steps += stride) {
    wasCancelled = await isCancelled(steps, other, broken);
    const { spec, power, formerImage } = await stateOf(node);
    assert.deepEqual([spec.image, power, formerImage], [present, "running", undefined], `cancelled at ${steps}`);
    await up(new Process(), present);
    await assertConverged(present, generation, `cancelled at ${steps}`);
  }
});
