// The provider's resources over gRPC, without an engine, on the fake driver.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, afterEach, before, test } from "node:test";
import { isDismantling } from "../../host/dismantling-mark";
import { groundplaneProvider } from "../../provider/definition";
import type { Properties } from "../../provider/rpc/property-values";
import { UNKNOWN } from "../../provider/rpc/property-values";
import { ownDataFolder } from "../support/own-data-folder";
import { initFailureOf, type ProviderClient, providerClient } from "../support/provider-client";
import { machineInputs } from "../support/provider-resources";

const type = (name: string) => `groundplane:index:${name}`;
const machine = type("Machine");
const properties = (value: object) => value as unknown as Properties;
const wanted = { ...properties(machineInputs("one")), power: "running", drift: [] };
const { seed: _seed, secrets: _secrets, ...kept } = wanted as Properties;
const data = ownDataFolder();
let client: ProviderClient;

before(async () => {
  client = await providerClient(groundplaneProvider);
});
after(() => client?.stop());
afterEach(() => client.delete(machine, "fake/tested/one", wanted));

test("the schema names every type, its required inputs and the types of its properties", async () => {
  const { resources, types } = await client.schema();
  const names = [
    "Bootstrap",
    "ClusterObjects",
    "ClusterSecrets",
    "ContainerImages",
    "Disk",
    "Dismantling",
    "Guard",
    "Image",
    "Machine",
    "Membership",
    "NodeFiles",
    "NodeImage",
    "NodeTask",
    "Segment",
  ];
  assert.deepEqual(Object.keys(resources).sort(), names.map(type));
  assert.ok(resources[machine]?.requiredInputs.includes("memoryMiB"));
  assert.ok(!resources[machine]?.requiredInputs.includes("uplink"));
  assert.ok(types["groundplane:index:GuestConnection"]);
});

test("check reports every mistake with its place", async () => {
  const { stack: _stack, ...inputs } = {
    ...machineInputs("one"),
    memoryMiB: "much",
    colour: "red",
    nics: [{ segment: 1 }],
  };
  const { failures } = await client.check(machine, properties(inputs));
  assert.deepEqual([...failures].sort(), [
    "colour is not a known property",
    "memoryMiB must be a whole number",
    "nics[0].mac is missing",
    "nics[0].name is missing",
    "nics[0].segment must be a string",
    "stack is missing",
  ]);
});

test("check accepts unknown values and adds the computed inputs", async () => {
  const { power: _power, drift: _drift, ...inputs } = wanted;
  const answer = await client.check(machine, { ...inputs, secrets: UNKNOWN });
  assert.deepEqual(answer, { inputs: { ...wanted, secrets: UNKNOWN }, failures: [] });
});

// Otherwise the state of another implementation of the type, e.g. of the official command plugin, would differ.
test("check keeps secrets where they are, at any depth", async () => {
  const { power: _power, drift: _drift, ...inputs } = wanted;
  const seed = { userData: "#cloud-config", metaData: "", networkConfig: "" };
  const news = { ...inputs, seed, secrets: { token: "hidden" } };
  for (const paths of [["secrets"], ["secrets.token", "seed.userData"]])
    assert.deepEqual([...(await client.secretsAfterCheck(machine, news, paths))].sort(), paths);
});

test("a preview changes nothing and knows every output except the generation", async () => {
  const planned = await client.create(machine, wanted, { preview: true });
  assert.equal(planned.id, "fake/tested/one");
  assert.deepEqual(planned.properties, { ...kept, generation: UNKNOWN });
  assert.equal((await client.read(machine, planned.id, wanted, wanted)).id, "");
});

test("a created machine is read back equal, without a difference", async () => {
  const { id, properties: outputs } = await client.create(machine, wanted);
  const read = await client.read(machine, id, wanted, outputs);
  assert.deepEqual(read.properties, outputs);
  assert.deepEqual(read.inputs, wanted);
  assert.equal((await client.diff(machine, read.inputs, wanted)).changes, "none");
});

test("a machine is replaced only where a change requires it, other changes apply in place", async () => {
  const [nic] = machineInputs("one").nics;
  const replacing = { uuid: "other", nics: [{ ...nic, mac: "02:00:00:00:00:02" }] };
  for (const [key, value] of Object.entries(replacing)) {
    const { replaces } = await client.diff(machine, wanted, properties({ ...wanted, [key]: value }));
    assert.deepEqual(replaces, [key]);
  }
  const news = properties({ ...wanted, memoryMiB: 512, cpus: 2, diskGiB: 9 });
  const { replaces, paths } = await client.diff(machine, wanted, news);
  assert.deepEqual(replaces, []);
  assert.deepEqual(paths, { memoryMiB: "UPDATE", cpus: "UPDATE", diskGiB: "UPDATE" });
});

test("the CPU weight of earlier versions is not a difference, and a machine with it keeps running", async () => {
  const { id, properties: outputs } = await client.create(machine, wanted);
  const file = path.join(data, "fake/tested/machines/one/machine.json");
  const record = JSON.parse(fs.readFileSync(file, "utf8"));
  const made = { ...record.made, spec: { ...record.made.spec, cpuWeight: 1024 } };
  fs.writeFileSync(file, JSON.stringify({ ...record, made }));
  const [oldInputs, oldOutputs] = [wanted, outputs].map((stored) => ({ ...stored, cpuWeight: 1024 }));
  assert.equal((await client.diff(machine, properties(oldInputs ?? {}), wanted)).changes, "none");
  const read = await client.read(machine, id, properties(oldInputs ?? {}), properties(oldOutputs ?? {}));
  assert.deepEqual(read.properties, outputs);
  assert.deepEqual(read.inputs, wanted);
  const updated = await client.update(machine, id, properties(oldOutputs ?? {}), wanted);
  assert.equal(updated.properties.generation, outputs.generation);
});

test("an input that is read only at creation is not a difference", async () => {
  const seed = { ...machineInputs("one").seed, userData: "new" };
  const news = properties({ ...wanted, seed, secrets: { token: "new" }, image: "newer" });
  const imported = properties({ ...wanted, seed: { userData: "", metaData: "", networkConfig: "" } });
  for (const olds of [wanted, imported]) assert.equal((await client.diff(machine, olds, news)).changes, "none");
  const { properties: outputs } = await client.create(machine, news);
  assert.deepEqual(Object.keys(outputs).sort(), [...Object.keys(kept), "generation"].sort());
});

test("an update keeps the machine and returns its actual state", async () => {
  const { id, properties: outputs } = await client.create(machine, wanted);
  const updated = await client.update(machine, id, outputs, { ...wanted, memoryMiB: 512 });
  assert.deepEqual(updated.properties, { ...outputs, memoryMiB: 512 });
});

test("an update with another image keeps the machine and its image", async () => {
  const { id, properties: outputs } = await client.create(machine, wanted);
  const news = { ...wanted, image: "newer", memoryMiB: 512 };
  const expected = { ...outputs, memoryMiB: 512 };
  for (const preview of [true, false]) {
    const updated = await client.update(machine, id, outputs, news, { preview });
    assert.deepEqual(updated.properties, expected);
  }
  const read = await client.read(machine, id, news, expected);
  assert.deepEqual(read.properties, expected);
  assert.equal((await client.diff(machine, read.inputs, properties(news))).changes, "none");
});

test("a smaller disk is refused in the preview, and nothing changes", async () => {
  const { id, properties: outputs } = await client.create(machine, wanted);
  for (const preview of [true, false]) {
    await assert.rejects(
      client.update(machine, id, outputs, { ...wanted, diskGiB: 3 }, { preview }),
      /cannot shrink to 3 GiB/,
    );
  }
  assert.deepEqual((await client.read(machine, id, wanted, outputs)).properties, outputs);
});

test("returned secrets are marked as secret", async () => {
  const inputs = { ...wanted, secrets: { token: "hidden" } };
  const created = await client.create(machine, inputs, { secretPaths: ["secrets"] });
  assert.doesNotMatch(JSON.stringify(created.properties), /hidden/);
  const read = await client.read(machine, created.id, inputs, created.properties);
  assert.ok(read.inputSecretPaths.has("secrets"), "even when the engine forgot");
});

test("a foreign machine of the same name is refused and does not change", async () => {
  await client.create(machine, wanted);
  const file = path.join(data, "fake/tested/machines/one/machine.json");
  const record = JSON.parse(fs.readFileSync(file, "utf8"));
  fs.writeFileSync(file, JSON.stringify({ ...record, owner: { stack: "tested", urn: "someone" } }));
  await assert.rejects(client.create(machine, wanted), (error: Error) => {
    assert.equal(initFailureOf(error), undefined, "it must not come into the state");
    return /belongs to someone/.test(error.message);
  });
  // Its deletion leaves it alone as well.
  await client.delete(machine, "fake/tested/one", wanted);
  assert.ok(fs.existsSync(file));
  fs.writeFileSync(file, JSON.stringify(record));
});

test("a second delete succeeds", async () => {
  const { id } = await client.create(machine, wanted);
  await client.delete(machine, id, wanted);
  await client.delete(machine, id, wanted);
  assert.equal((await client.read(machine, id, wanted, wanted)).id, "");
});

test("a retained disk is kept, and no disk shrinks", async () => {
  const disk = { driver: "fake", stack: "tested", name: "data", uuid: "u", sizeGiB: 4, keep: true };
  const { id } = await client.create(type("Disk"), disk);
  await assert.rejects(client.update(type("Disk"), id, disk, { ...disk, sizeGiB: 2 }), /cannot shrink/);
  await client.delete(type("Disk"), id, disk);
  assert.equal((await client.read(type("Disk"), id, disk, disk)).id, id);
  await client.delete(type("Disk"), id, { ...disk, keep: false });
  assert.equal((await client.read(type("Disk"), id, disk, disk)).id, "");
});

test("the mark of a dismantling lasts from its delete until the stack is created again, also during a preview", async () => {
  const inputs = { stack: "tested" };
  const { id } = await client.create(type("Dismantling"), inputs);
  assert.ok(!isDismantling("tested"));
  await client.delete(type("Dismantling"), id, inputs);
  await client.check(type("Dismantling"), inputs);
  await client.create(type("Dismantling"), inputs, { preview: true });
  assert.ok(isDismantling("tested"));
  await client.create(type("Dismantling"), inputs);
  assert.ok(!isDismantling("tested"));
});

test("a guard that a destroy has disabled shows a difference, and the next update enables it", async () => {
  const guard = type("Guard");
  const inputs = {
    driver: "fake",
    stack: "tested",
    masters: [],
    balancers: [],
    storage: [],
    replicas: 0,
    standing: true,
  };
  const { id } = await client.create(guard, inputs);
  assert.equal((await client.read(guard, id, inputs, inputs)).inputs.standing, true);
  await client.delete(type("Dismantling"), "tested/dismantling", { stack: "tested" });
  const away = (await client.read(guard, id, inputs, inputs)).inputs;
  assert.equal(away.standing, false);
  assert.deepEqual(await client.diff(guard, away, inputs), {
    changes: "some",
    replaces: [],
    paths: { standing: "UPDATE" },
  });
  await client.update(guard, id, inputs, inputs, { preview: true });
  assert.ok(isDismantling("tested"), "a preview leaves the mark");
  await client.update(guard, id, inputs, inputs);
  assert.ok(!isDismantling("tested"));
  await client.delete(guard, id, inputs);
});

test("secrets are stable, change with a higher version, and refuse a lower one", async () => {
  const secrets = type("ClusterSecrets");
  const first = await client.create(secrets, { stack: "tested", version: 2 });
  assert.ok(first.secretPaths.has("values"));
  const olds = first.properties;
  const same = await client.update(secrets, first.id, olds, { stack: "tested", version: 2 });
  assert.deepEqual(same.properties, olds);
  const next = await client.update(secrets, first.id, olds, { stack: "tested", version: 3 });
  assert.notDeepEqual(next.properties.values, olds.values);
  await assert.rejects(client.update(secrets, first.id, olds, { stack: "tested", version: 1 }), /version 1/);
});

test("a machine whose creation is cancelled stays in the state, and an update starts it", async () => {
  process.env.GROUNDPLANE_FAKE_DELAY_MS = "300";
  const creating = client.create(machine, wanted).catch((error) => error);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await client.cancel();
  const failure = initFailureOf(await creating);
  delete process.env.GROUNDPLANE_FAKE_DELAY_MS;
  assert.equal(failure?.id, "fake/tested/one");
  assert.equal(failure?.refreshBeforeUpdate, true);
  assert.equal(failure?.outputs.power, "stopped");
  // The engine never uses a cancelled provider again.
  client.stop();
  client = await providerClient(groundplaneProvider);
  const { power } = (await client.update(machine, "fake/tested/one", failure.outputs, wanted)).properties;
  assert.equal(power, "running");
});
