// A roll of the only master, which takes the data of etcd along, that is killed after every step, on simulated machines and guests.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isStopped } from "../../guests/fake-moved-etcd";
import { readNode } from "../../guests/fake-nodes";
import { writeJson } from "../../host/file-store";
import type { BootstrapInputs } from "../../model/resource-types";
import { bootstrapResource } from "../../provider/resources/bootstrap";
import { PartialFailure } from "../../provider/rpc/resource-handler";
import { everyMoment } from "../support/every-moment";
import { other, rollOf } from "../support/image-roll";
import { ownDataFolder } from "../support/own-data-folder";

ownDataFolder();

const node = "master-1";
const roll = rollOf("small", node);
const { assertConverged, folder, inputsOf, Process, stack, standingStack, stateOf, up, upMachine } = roll;
type Answer = ConstructorParameters<typeof Process>[1];

/** The end of a change leaves the same as the begin of the next one. By default, the tests share the changes. */
const nextMoment = (steps: number): number => (steps === 0 ? 1 : steps + (everyMoment ? 2 : 4));

/** Acknowledged by the API server, in this order. */
let acknowledged: string[] = [];

const serves = async (): Promise<boolean> => {
  const { phase } = await readNode({ stack, name: node });
  return phase === "member" && (await stateOf(node)).power === "running" && !(await isStopped({ stack, name: node }));
};

async function write(): Promise<void> {
  if (!(await serves())) return;
  const state = await readNode({ stack, name: node });
  const text = `write ${acknowledged.length}`;
  await writeJson(folder("machines", node, "node.json"), { ...state, writes: [...(state.writes ?? []), text] });
  acknowledged.push(text);
}

/** Clients write before every command of a node, and the node may not work. */
const whileWriting =
  (answer: Answer = async () => undefined): NonNullable<Answer> =>
  async (name, command) => {
    await write();
    return answer(name, command);
  };

const dies = (steps: number, image: string, answer?: Answer, formerRelease?: string) =>
  roll.dies(steps, image, whileWriting(answer), formerRelease);

async function standing() {
  const present = await standingStack();
  acknowledged = [];
  await write();
  return { present, generation: (await stateOf(node)).generation };
}

async function assertNothingLost(what: string): Promise<void> {
  assert.deepEqual((await readNode({ stack, name: node })).writes, acknowledged, `${what}: no write is lost`);
}

async function converges(steps: number, wanted: string, generation: string, formerRelease?: string): Promise<void> {
  await up(new Process(Number.POSITIVE_INFINITY, whileWriting()), wanted, formerRelease);
  const what = `killed after ${steps} steps`;
  await assertConverged(wanted, generation, what);
  await assertNothingLost(what);
  assert.ok(await serves(), what);
}

/** What an `up` does before it asks the API, where the plan has the image. */
async function begins(image: string): Promise<void> {
  const process = new Process();
  await upMachine(process, image);
  const bootstrap = bootstrapResource(process.connect);
  const inputs = await inputsOf<BootstrapInputs>("Bootstrap", "bootstrap");
  const state = { inputs, outputs: { ...inputs, bootstrappedWith: [node], clusterId: "" } };
  try {
    await bootstrap.read?.("", state, process.context);
  } catch (error) {
    assert.ok(error instanceof PartialFailure, String(error));
    await bootstrap.update("", inputs, state, false, process.context);
  }
}

/** It does not work from the other image. */
const broken: Answer = roll.broken;
const failing = { before: broken, after: roll.brokenAsMember };

test("a roll that is killed after any step converges in the next up, also after a second kill", async () => {
  const { present, generation } = await standing();
  let [from, to] = [present, other];
  let steps = 0;
  for (let died = true; died; steps = nextMoment(steps)) {
    died = await dies(steps, to);
    if (steps % 3 === 0) await dies(Math.ceil(steps / 2), to);
    await converges(steps, to, generation);
    [from, to] = [to, from];
  }
  assert.ok(steps > 15, `${steps} steps`);
  assert.ok(acknowledged.length > 50, `${acknowledged.length} writes`);
});

test("a roll that is killed after any step is taken back by an up with the former plan", async () => {
  const { present, generation } = await standing();
  for (let steps = everyMoment ? 1 : 3; await dies(steps, other); steps = nextMoment(steps))
    await converges(steps, present, generation);
});

test("the API serves again in an up after a kill before anything asks it", async () => {
  const { present, generation } = await standing();
  for (let steps = everyMoment ? 1 : 2; await dies(steps, other); steps = nextMoment(steps)) {
    await begins(steps % 2 === 0 ? other : present);
    assert.ok(await serves(), `killed after ${steps} steps`);
    await write();
    await converges(steps, steps % 4 < 2 ? other : present, generation);
    await converges(steps, present, generation);
  }
});

for (const [when, answer] of Object.entries(failing)) {
  test(`a roll that fails ${when} it has accepted writes returns to the former image, and loses none`, async () => {
    const { present, generation } = await standing();
    await assert.rejects(
      up(new Process(Number.POSITIVE_INFINITY, whileWriting(answer)), other),
      /does not work with the image .* and it has its former image/,
    );
    await assertConverged(present, generation);
    await assertNothingLost(when);
    assert.ok(await serves());
  });

  test(`a roll that fails ${when} it has accepted writes and is killed after any step converges`, async () => {
    const { present, generation } = await standing();
    for (let steps = 9, isDead = true; isDead; steps += everyMoment ? 1 : 8) {
      isDead = await dies(steps, other, answer);
      if (steps % 3 === 0) await begins(present);
      await converges(steps, steps % 2 === 0 ? present : other, generation);
      await converges(steps, present, generation);
    }
  });
}

test("an upgrade that fails after it has accepted writes goes on in the next up", async () => {
  const { present, generation } = await standing();
  for (let steps = 11, isDead = true; isDead; steps += everyMoment ? 1 : 9) {
    isDead = await dies(steps, other, roll.brokenAsMember, "1.2.3");
    await converges(steps, other, generation, "1.2.3");
    await converges(steps, present, generation);
  }
});

test("a roll that is cancelled at any step leaves a control plane that serves, or that the next up starts", async () => {
  const { present, generation } = await standing();
  for (let steps = 0, wasCancelled = true; wasCancelled; steps += everyMoment ? 1 : 4) {
    wasCancelled = await roll.isCancelled(steps, other, whileWriting());
    assert.equal((await stateOf(node)).power, "running", `cancelled at ${steps}`);
    await begins(present);
    assert.ok(await serves(), `cancelled at ${steps}`);
    await converges(steps, present, generation);
  }
});
