// A change of every key of the configuration, from the program's resources to the provider on the fake driver, without an
// engine: what the guard says, what is replaced, and that every machine stays the one that it was.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { dataFolder } from "../../host/data-folder";
import { changedSettings } from "../../model/changed-settings";
import { changeOfKey, configurationChanges } from "../../model/configuration-changes";
import type { DriverName } from "../../model/drivers";
import type { KeyChange } from "../../model/key-changes";
import { kubernetesVersions } from "../../model/releases";
import { groundplaneProvider } from "../../provider/definition";
import type { Properties } from "../../provider/rpc/property-values";
import { parseConfiguration } from "../../stacks/config/parse-configuration";
import type { DataCenterPlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { changedKeys, changedValues, classedStack, merged } from "../support/changed-keys";
import { ownDataFolder } from "../support/own-data-folder";
import { type ProviderClient, providerClient } from "../support/provider-client";
import { type RecordedResource, recordDataCenter } from "../support/recorded-graph";

const machineType = "groundplane:index:Machine";
const imageType = "groundplane:index:Image";
const guardType = "groundplane:index:Guard";
const secretsType = "groundplane:index:ClusterSecrets";
let client: ProviderClient;

ownDataFolder();
before(async () => {
  client = await providerClient(groundplaneProvider);
});
// No case sees the machines of another one.
beforeEach(() => fs.rmSync(path.join(dataFolder(), "fake"), { recursive: true, force: true }));
after(() => client?.stop());

function planOf(change: object): DataCenterPlan | undefined {
  const { configuration } = parseConfiguration(merged(classedStack, change), { stack: "classed" });
  return configuration && planDataCenter(configuration);
}
const driverOf = (change: object) => (merged(classedStack, change) as { driver: DriverName }).driver;

/** The program's resources that have a state, by type and name, with plain inputs. */
async function resourcesOf(plan: DataCenterPlan, driver: DriverName): Promise<ReadonlyMap<string, Resource>> {
  const graph = await recordDataCenter(plan, { driver });
  return new Map(
    graph
      .filter(({ type }) => type.startsWith("groundplane:index:"))
      .map((resource) => [`${resource.type} ${resource.name}`, { ...resource, inputs: plain(resource.inputs) }]),
  );
}
type Resource = Omit<RecordedResource, "inputs"> & { readonly inputs: Properties };

/** Without the marks of secrets, and without what the provider computes. */
function plain(inputs: object): Properties {
  const text = JSON.stringify(inputs, (_key, value) => (isSecret(value) ? value.secret : value));
  return JSON.parse(text) as Properties;
}
const isSecret = (value: unknown): value is { readonly secret: unknown } =>
  typeof value === "object" && value !== null && "secret" in value && Object.keys(value).length === 1;

/** The engine asks the provider only about resources whose inputs differ. */
const isSame = (inputs: Properties, others: Properties | undefined): boolean =>
  JSON.stringify(inputs) === JSON.stringify(others);

async function refusalsOf(before: Resource, now: Resource): Promise<string> {
  const { failures } = await client.check(now.type, now.inputs, before.inputs);
  return failures.join(" ");
}

const rows: Readonly<Record<string, KeyChange>> = configurationChanges;
const isOfRow = (path: string, key: string): boolean => changeOfKey(path) === (changeOfKey(key) ?? rows[key]);

for (const [name, { from = {}, to, refused, refusedBy }] of Object.entries({ ...changedKeys, ...changedValues })) {
  const [key, when] = name.split(": ") as [string, string | undefined];
  const row = changeOfKey(key) ?? rows[key];
  const change = when === undefined ? row : row?.cases?.find((one) => one.when === when);
  test(`${name} is ${change?.class}`, async () => {
    assert.equal(change?.class === "creation-only", refused !== undefined);
    const driver = driverOf(to);
    const formerPlan = planOf(driver === "virtualbox" ? { driver } : from) as DataCenterPlan;
    const former = await resourcesOf(formerPlan, driver);
    const plan = planOf(to);
    if (plan && refusedBy !== "program") {
      // The class that a review names.
      const changes = changedSettings(formerPlan.settings, plan.settings).filter((one) => isOfRow(one.key, key));
      const classes = changes.map((one) => one.change.class);
      assert.ok(change && classes.includes(change.class), `${change?.class} in ${classes}`);
    }
    // The schema has no other value, or the program chooses the driver first: test/engine shows it.
    if (refusedBy === "program") return assert.ok(plan === undefined || driver !== classedStack.driver);
    const resources = await resourcesOf(plan as DataCenterPlan, driver);
    const guardName = `${guardType} guard`;
    const pairOf = (name: string) => [former.get(name), resources.get(name)] as [Resource, Resource];
    if (refusedBy === "disks") return assert.match(await refusedUpdates(former, resources), refused as RegExp);
    if (refused) await createMachines(former);
    const [old, now] = pairOf(refusedBy === "keys" ? `${secretsType} secrets-cluster` : guardName);
    if (refused) assert.match(await refusalsOf(old, now), refused);
    // The guard may have recorded a number whose rotation was refused, so it must let the former one come back.
    if (refusedBy === "keys") assert.equal(await refusalsOf(...pairOf(guardName)), "");
    if (refused) return;
    // Another driver than the fake one is not asked: the members are the same.
    assert.equal(await refusalsOf(old, now), "");
    for (const [name, { type, inputs }] of former) {
      const changed = resources.get(name);
      assert.ok(changed, `${name} stays`);
      if (isSame(inputs, changed.inputs)) continue;
      const { replaces } = await client.diff(type, inputs, changed.inputs);
      // Machines follow the image of another release by resources of their own.
      const isOtherImage = type === imageType && key === "kubernetesVersion" && inputs.name !== changed.inputs.name;
      assert.deepEqual(replaces, isOtherImage ? ["name"] : [], name);
    }
    if (driver === "fake") await changedMachinesStay(former, resources);
  });
}

/** What previews of updates refuse. */
async function refusedUpdates(former: ReadonlyMap<string, Resource>, resources: ReadonlyMap<string, Resource>) {
  const reasons: string[] = [];
  for (const [name, { type, inputs }] of former) {
    const now = resources.get(name);
    if (!now || isSame(inputs, now.inputs)) continue;
    const options = { preview: true };
    await client.update(type, name, inputs, now.inputs, options).catch((error) => reasons.push(String(error)));
  }
  return reasons.join(" ");
}

test("a running stack is kept from a downgrade and from a skipped minor version, each with its reason", async () => {
  const [newest, oldest] = [kubernetesVersions[0], kubernetesVersions.at(-1)];
  const cases = [
    [newest, kubernetesVersions[1], /have no downgrade/],
    [oldest, newest, /to the next, without skipping any/],
  ] as const;
  for (const [before, after, reason] of cases) {
    const former = await resourcesOf(planOf({ kubernetesVersion: before }) as DataCenterPlan, "fake");
    const now = await resourcesOf(planOf({ kubernetesVersion: after }) as DataCenterPlan, "fake");
    await createMachines(former);
    const guard = (of: ReadonlyMap<string, Resource>) => of.get(`${guardType} guard`) as Resource;
    const refusal = await refusalsOf(guard(former), guard(now));
    assert.ok(refusal.includes(`kubernetesVersion: ${before} cannot become ${after}: `), refusal);
    assert.match(refusal, reason);
  }
});

test("the configuration is fixed with the first machine of a stack", async () => {
  const begun = ({ inputs }: Resource): Properties => ({ ...inputs, stack: "begun" });
  const change = { storage: { volume: "arbiter" }, network: { podCidr: "10.99.0.0/16" } };
  const [former, other] = [await resourcesOf(planOf({}) as DataCenterPlan, "fake"), planOf(change)];
  const guard = former.get(`${guardType} guard`) as Resource;
  const changed = (await resourcesOf(other as DataCenterPlan, "fake")).get(`${guardType} guard`) as Resource;
  // As after an `up` that failed before the first machine.
  await client.create(guardType, begun(changed));
  const check = () => client.check(guardType, begun(guard), begun(changed));
  assert.deepEqual((await check()).failures, []);
  await client.create(machineType, begun(former.get(`${machineType} gateway`) as Resource));
  assert.match((await check()).failures.join(" "), /network\.podCidr: .*the volume is arbiter and cannot become/);
});

async function createMachines(resources: ReadonlyMap<string, Resource>): Promise<ReadonlyMap<string, Properties>> {
  const made = new Map<string, Properties>();
  for (const [name, { type, inputs }] of resources) {
    if (type === machineType) made.set(name, (await client.create(type, inputs)).properties);
  }
  return made;
}

async function changedMachinesStay(
  former: ReadonlyMap<string, Resource>,
  resources: ReadonlyMap<string, Resource>,
): Promise<void> {
  const changed = [...former].filter(([name, { inputs }]) => !isSame(inputs, resources.get(name)?.inputs));
  for (const [name, outputs] of await createMachines(new Map(changed))) {
    const { inputs } = resources.get(name) as Resource;
    const id = `fake/classed/${String(inputs.name)}`;
    const updated = await client.update(machineType, id, outputs, inputs);
    assert.equal(updated.properties.generation, outputs.generation, name);
    assert.equal(updated.properties.power, "running", name);
    for (const input of ["cpus", "memoryMiB", "diskGiB", "disks", "uplink"])
      assert.deepEqual(updated.properties[input], inputs[input], `${input} of ${name}`);
  }
}
