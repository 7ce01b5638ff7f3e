// After a kill of the provider or Ctrl-C, the next `up` finishes the work without duplicates.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { patienceMs } from "../support/cluster-under-test";
import { type ProviderProject, providerProject } from "../support/provider-project";
import { Machine, Segment } from "../support/provider-resources";

let project: ProviderProject;
before(async () => {
  project = await providerProject();
});
after(() => project?.remove());
afterEach(async () => {
  project.setEnvironment("GROUNDPLANE_FAKE_DELAY_MS", undefined);
  await (await threeMachines()).destroy();
  assert.deepEqual(fs.readdirSync(path.join(project.dataFolder, "fake")), [], "nothing is left of any machine");
});

const names = ["one", "two", "three"];
const machines = () => path.join(project.dataFolder, "fake", "tested", "machines");
const record = (name: string) => JSON.parse(fs.readFileSync(path.join(machines(), name, "machine.json"), "utf8"));
const isHalfMade = (name: string) =>
  fs.existsSync(path.join(machines(), name, "machine.json")) && record(name).made === undefined;

function threeMachines() {
  return project.program(async () => {
    const dependsOn = [new Segment("dmz")];
    for (const name of names) new Machine(name, {}, { dependsOn });
  });
}

/** An `up` in which the creation of a machine takes long enough to be interrupted. Returns its error, if any. */
async function slowUp(): Promise<string | undefined> {
  project.setEnvironment("GROUNDPLANE_FAKE_DELAY_MS", "3000");
  const stack = await threeMachines();
  return stack.up({ parallel: 8 }).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

async function waitForHalfMade(): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!names.every(isHalfMade)) {
    assert.ok(Date.now() < deadline, "not every machine was begun");
    await sleep(50);
  }
}

async function convergesNow(): Promise<void> {
  project.setEnvironment("GROUNDPLANE_FAKE_DELAY_MS", undefined);
  const stack = await threeMachines();
  await stack.up();
  assert.deepEqual(fs.readdirSync(machines()).sort(), [...names].sort());
  for (const name of names) assert.equal(record(name).power, "running");
  await stack.up({ expectNoChanges: true });
}

test("after a SIGKILL during a create, the next up adopts the partially created machine", async () => {
  const failure = slowUp();
  await waitForHalfMade();
  const pids = project.pids("provider");
  assert.equal(pids.length, 1);
  process.kill(pids[0] as number, "SIGKILL");
  assert.match((await failure) ?? "", /error/);
  assert.ok(names.every(isHalfMade));
  await convergesNow();
});

test("after Ctrl-C during up, the state has the started resources, and the next up finishes them", async () => {
  const failure = slowUp();
  await waitForHalfMade();
  const pids = project.pids("pulumi");
  assert.equal(pids.length, 1);
  process.kill(pids[0] as number, "SIGINT");
  assert.match((await failure) ?? "", /cancel/);
  const kept = names.filter((name) => project.stateText().includes(`"fake/tested/${name}"`));
  assert.deepEqual(kept, names, "a machine that exists is in the state");
  await convergesNow();
});

test("the provider ends with a killed engine, and the next up converges", async () => {
  const failure = slowUp();
  await waitForHalfMade();
  const [engine] = project.pids("pulumi");
  const [provider] = project.pids("provider");
  process.kill(engine as number, "SIGKILL");
  await failure;
  const deadline = Date.now() + patienceMs;
  while (project.pids("provider").length > 0 && Date.now() < deadline) await sleep(50);
  assert.ok(provider && project.pids("provider").length === 0, "no provider stays behind");
  await (await threeMachines()).cancel();
  await convergesNow();
});
