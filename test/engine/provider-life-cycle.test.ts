// Machines on the real engine: what a plain preview shows, and what `up` repairs.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { type ProviderProject, providerProject } from "../support/provider-project";
import { ClusterSecrets, Image, Machine, Segment } from "../support/provider-resources";

let project: ProviderProject;
before(async () => {
  project = await providerProject();
});
after(() => project?.remove());

const userData = (text: string) => ({
  seed: { userData: text, metaData: "instance-id: one\n", networkConfig: "version: 2\n" },
});

async function oneMachine(args: object = {}, options: object = {}) {
  return project.program(async () => {
    const segment = new Segment("dmz");
    const machine = new Machine("one", args, { dependsOn: [segment], ...options });
    return { power: machine.power, generation: machine.generation };
  });
}

const machineFolder = () => path.join(project.dataFolder, "fake", "tested", "machines", "one");
const record = () => JSON.parse(fs.readFileSync(path.join(machineFolder(), "machine.json"), "utf8"));
const writeRecord = (change: object) =>
  fs.writeFileSync(path.join(machineFolder(), "machine.json"), JSON.stringify({ ...record(), ...change }));
const storedUserData = () => fs.readFileSync(path.join(machineFolder(), "seed", "user-data"), "utf8");

test("a machine is created and started, and a second up changes nothing", async () => {
  const stack = await oneMachine();
  const first = await stack.up();
  assert.equal(first.outputs.power?.value, "running");
  assert.equal(record().power, "running");
  const second = await stack.up({ expectNoChanges: true });
  assert.deepEqual(second.summary.resourceChanges, { same: 3 });
});

test("a machine that was stopped outside Pulumi shows in a plain preview, and up starts it", async () => {
  const stack = await oneMachine();
  const { generation } = record().made;
  writeRecord({ power: "stopped" });
  const preview = await stack.preview({ diff: true, color: "never" });
  assert.equal(preview.changeSummary.update, 1);
  assert.match(preview.stdout, /power\s*: "stopped" => "running"/);
  assert.equal(record().power, "stopped", "a preview changes nothing");
  const up = await stack.up();
  assert.equal(up.summary.resourceChanges?.update, 1);
  assert.equal(record().power, "running");
  assert.equal(up.outputs.generation?.value, generation, "it is the same machine");
  await stack.up({ expectNoChanges: true });
});

test("a changed setting shows as drift, and up restores it", async () => {
  const stack = await oneMachine();
  const { made } = record();
  writeRecord({ made: { ...made, spec: { ...made.spec, memoryMiB: 9999 } } });
  const preview = await stack.preview({ diff: true, color: "never" });
  assert.match(preview.stdout, /memoryMiB\s*: 9999 => 256/);
  await stack.up();
  assert.equal(record().made.spec.memoryMiB, 256);
});

test("a missing machine shows as a create, and up recreates it", async () => {
  const stack = await oneMachine();
  const { generation } = record().made;
  fs.rmSync(machineFolder(), { recursive: true });
  const preview = await stack.preview();
  assert.equal(preview.changeSummary.create, 1);
  const up = await stack.up();
  assert.notEqual(up.outputs.generation?.value, generation);
  await stack.up({ expectNoChanges: true });
});

test("a new seed does not change an existing machine, and a recreated machine gets it", async () => {
  const stack = await oneMachine(userData("#cloud-config\n# changed\n"));
  const preview = await stack.preview({ diff: true, color: "never" });
  assert.deepEqual(preview.changeSummary, { same: 3 });
  assert.doesNotMatch(preview.stdout, /seed|secrets/);
  // Twice, because the second run must not report what the first run wrote into the state.
  for (const _ of [1, 2]) await stack.up({ expectNoChanges: true });
  assert.doesNotMatch(storedUserData(), /# changed/);
  const clean = await stack.preview({ diff: true, color: "never" });
  assert.doesNotMatch(clean.stdout, /refresh|seed|secrets/);
  fs.rmSync(machineFolder(), { recursive: true });
  await stack.up();
  assert.match(storedUserData(), /# changed/);
});

test("a different image does not change an existing machine, and a recreated machine gets it", async () => {
  const stack = await oneMachine({ image: "infrastructure-2" });
  const { generation, spec } = record().made;
  for (const _ of [1, 2]) await stack.up({ expectNoChanges: true });
  assert.equal(record().made.generation, generation);
  assert.equal(record().made.spec.image, spec.image);
  fs.rmSync(machineFolder(), { recursive: true });
  await stack.up();
  assert.equal(record().made.spec.image, "infrastructure-2");
});

test("a preview refuses a seed that refers to a missing secret", async () => {
  const stack = await oneMachine(userData(`token: \${secret:kubernetes-ca-hash}\n`));
  await assert.rejects(stack.preview(), /refers to the unknown secret "kubernetes-ca-hash"/);
});

test("secrets reach the seed, and appear neither in the state nor in the output", async () => {
  // A machine that runs keeps its seed.
  const empty = await project.program(async () => ({}));
  await empty.up();
  const stack = await project.program(async () => {
    const secrets = new ClusterSecrets("secrets", 1);
    new Segment("dmz");
    const seed = userData(`token: \${secret:kubernetes-ca-hash}\nkey: \${secret-base64:etcd-ca.key}\n`);
    new Machine("one", { ...seed, secrets: secrets.values });
    return { secrets: secrets.values };
  });
  const up = await stack.up({ diff: true, color: "never" });
  const values = up.outputs.secrets?.value as Record<string, string>;
  assert.equal(up.outputs.secrets?.secret, true);
  const [token = "", key = ""] = [values["kubernetes-ca-hash"], values["etcd-ca.key"]];
  assert.match(token, /^sha256:[0-9a-f]{64}$/);
  assert.equal(storedUserData(), `token: ${token}\nkey: ${Buffer.from(key).toString("base64")}\n`);
  assert.equal(fs.statSync(path.join(machineFolder(), "seed", "user-data")).mode & 0o777, 0o600);
  for (const [name, value] of Object.entries(values)) {
    const clear = value
      .trim()
      .split("\n")
      .at(Math.floor(value.trim().split("\n").length / 2)) as string;
    assert.ok(!project.stateText().includes(clear), `${name} stands in the state in clear`);
    assert.ok(!up.stdout.includes(clear), `${name} stands in the output in clear`);
  }
  const again = await stack.up({ expectNoChanges: true });
  assert.deepEqual(again.outputs.secrets?.value, values);
});

test("a missing image is an error that names the command to run", async () => {
  const stack = await oneMachine();
  await stack.up();
  const withImage = await project.program(async () => {
    new Segment("dmz");
    new Machine("one");
    new Image("image", "absent-1");
  });
  await withImage.preview();
  await assert.rejects(withImage.up(), /npx groundplane image build/);
});

test("destroy leaves nothing and can be repeated", async () => {
  const stack = await oneMachine();
  await stack.up();
  await stack.destroy();
  assert.deepEqual(fs.readdirSync(path.join(project.dataFolder, "fake")), []);
  await stack.destroy();
});

test("a second name for a machine or segment does not take it from its owner when it is removed", async () => {
  const stack = await oneMachine();
  await stack.up();
  const { generation } = record().made;
  const second = await project.program(async () => {
    const segment = new Segment("dmz");
    new Machine("one", {}, { dependsOn: [segment] });
    new Segment("second-segment", { import: "fake/tested/dmz" }, "dmz");
    new Machine("second", { name: "one" }, { import: "fake/tested/one", dependsOn: [segment] });
  });
  await second.up();
  const removed = await (await oneMachine()).up();
  assert.equal(removed.summary.resourceChanges?.delete, 2);
  assert.match(
    removed.stdout,
    /machine one stays: it belongs to urn:pulumi:dev::provider-test::groundplane:index:Machine::one/,
  );
  assert.match(removed.stdout, /segment dmz stays: it belongs to /);
  assert.equal(record().made.generation, generation);
  assert.equal(record().power, "running");
  await (await oneMachine()).up({ expectNoChanges: true });
});

test("an existing machine is imported, and then changes like any other machine", async () => {
  await (await oneMachine()).up();
  const empty = await project.program(async () => undefined);
  // Removes both from the state without a change to them.
  const deployment = (await empty.exportStack()).deployment;
  await empty.importStack({ version: 3, deployment: { ...deployment, resources: [] } });
  const imported = await project.program(async () => {
    new Segment("dmz", { import: "fake/tested/dmz" });
    new Machine("one", {}, { import: "fake/tested/one" });
  });
  const up = await imported.up();
  assert.equal(up.summary.resourceChanges?.import, 2);
  await (await oneMachine()).up({ expectNoChanges: true });
  const changed = await oneMachine({ memoryMiB: 512 });
  const second = await changed.up();
  assert.equal(second.summary.resourceChanges?.update, 1);
  assert.equal(record().made.spec.memoryMiB, 512);
  await changed.destroy();
  assert.deepEqual(fs.readdirSync(path.join(project.dataFolder, "fake")), []);
});
