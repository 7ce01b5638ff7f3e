// A roll of the only storage machine to another image that is killed after every step, on simulated machines and guests.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeImageInputs } from "../../model/node-image-types";
import { stride } from "../support/every-moment";
import { rollOf } from "../support/image-roll";
import { ownDataFolder } from "../support/own-data-folder";
import { writtenPlan } from "../support/written-plan";

ownDataFolder();

const other = "infrastructure-bbbbbbbbbbbb";
const known = "the volume that workers have mounted";
const node = "storage-1";
const plan = writtenPlan(
  {
    pools: {
      ...{ balancers: { count: 1 }, masters: { count: 1 }, workers: { count: 1 } },
      storage: { count: 1, disks: [{ name: "brick", sizeGiB: 1 }] },
    },
  },
  "lone-storage",
);
const { assertConverged, dies, inputsOf, isCancelled, Process, standingStack, stateOf, up, upMachine, volume } = rollOf(
  ...(["lone-storage", node, plan] as const),
);

const broken = async (name: string, command: string) =>
  name === node && command === "node-ready" && (await stateOf(node)).spec.image === other
    ? "it does not work"
    : undefined;

const standing = async () => {
  const present = await standingStack();
  volume.write(known);
  return { present, generation: (await stateOf(node)).generation };
};
const converges = async (steps: number, wanted: string, generation: string) => {
  await up(new Process(), wanted);
  await assertConverged(wanted, generation, `killed after ${steps} steps`);
  assert.equal(volume.read(), known, `killed after ${steps} steps`);
};

test("the only storage machine gets another system disk with the same volume, before anything asks for it", async () => {
  const { generation } = await standing();
  const process = new Process();
  await up(process, other);
  await assertConverged(other, generation);
  assert.equal(volume.read(), known);
  const done = process.log.map((line) => line.replace(/bash -c [\s\S]* (\w+-volume) .*/, "$1"));
  assert.deepEqual(
    done.filter((line) => !/node-ready|confirm/.test(line)),
    [
      `${node}: form-storage-pool 0`,
      `${node}: keep-volume`,
      `${node}: exchangeSystemDisk`,
      `${node}: startMachine`,
      `${node}: return-volume`,
      `${node}: form-storage-pool 0`,
      `${node}: return-volume`,
      `${node}: dropFormerSystemDisk`,
    ],
  );
});

test("a preview says that all volumes are unavailable meanwhile", async () => {
  await standing();
  const { resources, context, warnings } = new Process();
  const inputs = await inputsOf<NodeImageInputs>("NodeImage", `${node}-image`);
  assert.deepEqual([inputs.keeps, inputs.alone], [undefined, ["storage"]]);
  await resources.image.create({ ...inputs, image: other }, true, context);
  assert.match(
    String(warnings),
    /^warning: storage-1 moves from .* Unavailable meanwhile: all volumes, until it is back/,
  );
});

test("a roll that is killed after any step converges in the next up, also after a second kill", async () => {
  const { present, generation } = await standing();
  let [from, to] = [present, other];
  let steps = 0;
  for (let died = true; died; steps++) {
    died = await dies(steps, to);
    if (steps % 2 === 0) await dies(Math.ceil(steps / 2), to);
    await converges(steps, to, generation);
    [from, to] = [to, from];
  }
  assert.ok(steps > 10, `${steps} steps`);
});

test("a roll that is killed after any step is taken back by an up with the former plan", async () => {
  const { present, generation } = await standing();
  for (let steps = 0; await dies(steps, other); steps++) await converges(steps, present, generation);
});

test("a failing roll that is killed after any step converges to what the next plan says", async () => {
  const { present, generation } = await standing();
  for (let steps = 3, isDead = true; isDead; steps += stride) {
    isDead = await dies(steps, other, broken);
    await converges(steps, steps % 2 === 0 ? present : other, generation);
    await converges(steps, present, generation);
  }
});

test("an up after a kill returns the former disk before it asks a node", async () => {
  const { present, generation } = await standing();
  let away = 0;
  for (let steps = 0, isDead = true; isDead; steps++) {
    isDead = await dies(steps, other, broken);
    if ((await stateOf(node)).formerImage !== undefined) away++;
    await upMachine(new Process(), other);
    const { spec, formerImage } = await stateOf(node);
    assert.deepEqual([spec.image, formerImage], [present, undefined], `killed after ${steps} steps`);
    await converges(steps, present, generation);
  }
  assert.ok(away > 0, "it was killed while the new disk was there");
});

test("a roll that is cancelled at any step leaves the machine on its former disk", async () => {
  const { present, generation } = await standing();
  for (let steps = 0, wasCancelled = true; wasCancelled; steps++) {
    wasCancelled = await isCancelled(steps, other, broken);
    const { spec, power, formerImage } = await stateOf(node);
    assert.deepEqual([spec.image, power, formerImage], [present, "running", undefined], `cancelled at ${steps}`);
    await converges(steps, present, generation);
  }
});
