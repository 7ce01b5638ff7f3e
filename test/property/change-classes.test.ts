import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import * as z from "zod";
import { renderNodeSeed } from "../../cloud-init/render-node-seed";
import { guardedMembers } from "../../components/guarded-members";
import { appliedChange } from "../../model/applied-change";
import { changeClasses, classOn, diskChanges, machineChanges } from "../../model/change-classes";
import { changedSettings, settingsInFiles } from "../../model/changed-settings";
import { changeOfKey, configurationChanges } from "../../model/configuration-changes";
import { driverNames } from "../../model/drivers";
import { guestPaths } from "../../model/guest-paths";
import { refusedLosses } from "../../model/plan-losses";
import type { PresentMember } from "../../model/pool-change";
import { refusedSettings } from "../../model/refused-settings";
import type { Settings } from "../../model/resource-types";
import type { NodeFile } from "../../model/seed";
import { diskResource } from "../../provider/resources/disk";
import { machineResource } from "../../provider/resources/machine";
import { configurationSchema } from "../../stacks/config/configuration-schema";
import type { DataCenterPlan, NodePlan } from "../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../stacks/plan/plan-data-center";
import { changedConfiguration, validConfiguration } from "../support/arbitrary-configuration";
import { exampleConfiguration } from "../support/example-stacks";

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
}

/** The path of every value in the schema; a list has one entry. */
function pathsOf({ properties, items }: Node, path = ""): readonly string[] {
  if (items) return pathsOf(items, `${path}[0]`);
  if (!properties) return [path];
  return Object.entries(properties).flatMap(([key, child]) => pathsOf(child, path === "" ? key : `${path}.${key}`));
}

const schemaPaths = pathsOf(z.toJSONSchema(configurationSchema, { io: "input" }) as Node);

test("every key of the schema has a change class and a sentence", () => {
  assert.ok(schemaPaths.length > 50);
  for (const path of schemaPaths) {
    const change = changeOfKey(path);
    assert.ok(change, `${path} has no row in model/configuration-changes.ts`);
    assert.ok(Object.hasOwn(changeClasses, change.class), path);
    assert.match(change.effect, /^[A-Z].*\.$/, path);
    assert.equal(change.instead !== undefined, change.class === "creation-only", `${path}: what can be done instead`);
    for (const one of change.cases ?? []) {
      assert.notEqual(one.class, change.class, `${path}, ${one.when}: differs from the others`);
      assert.match(one.effect, /^[A-Z].*\.$|^keepalived .*\.$/, path);
      assert.equal(one.instead !== undefined, one.class === "creation-only", `${path}, ${one.when}`);
    }
  }
});

test("every row belongs to a key of the schema", () => {
  const rows = new Set(schemaPaths.map(changeOfKey));
  for (const [key, change] of Object.entries(configurationChanges)) assert.ok(rows.has(change), key);
});

test("every input of a machine and of a data disk in the provider's schema has a change class", () => {
  const unused = () => assert.fail("asks no driver");
  // What the provider adds by itself is no input of a program.
  const machine = Object.keys(machineResource(unused).schema.inputs).filter((key) => !/^(?:power|drift)$/.test(key));
  assert.deepEqual(machine.sort(), Object.keys(machineChanges).sort());
  assert.deepEqual(Object.keys(diskResource(unused).schema.inputs).sort(), Object.keys(diskChanges).sort());
});

test("the provider replaces exactly what the classes say", () => {
  const { replaceOn, schema } = machineResource(() => assert.fail("asks no driver"));
  for (const [input, change] of Object.entries(machineChanges)) {
    const isReplaced = (replaceOn as readonly string[]).includes(input);
    assert.equal(isReplaced, change.class === "replace" || change.class === "creation-only", input);
    assert.equal(schema.createOnly?.includes(input), change.readAtCreation === true, input);
  }
});

test("a class never promises more than the driver does", () => {
  for (const driver of [...driverNames, "auto"] as const) {
    for (const change of Object.values(configurationChanges)) {
      const seen = classOn(change, driver);
      if (seen !== change.class) assert.deepEqual([change.class, seen], ["live", "rolling"]);
    }
  }
});

test("every recorded value has a class, and an unchanged configuration changes nothing", () => {
  fc.assert(
    fc.property(validConfiguration, (configuration) => {
      const { settings } = planDataCenter(configuration);
      for (const key of Object.keys(settings)) assert.ok(changeOfKey(key), key);
      assert.deepEqual(changedSettings(settings, { ...settings }), []);
    }),
  );
});

test("two configurations are either compatible, or the refusal names key, old and new value", () => {
  fc.assert(
    fc.property(validConfiguration, validConfiguration, (one, other) => {
      const [before, after] = [planDataCenter(one).settings, planDataCenter(other).settings];
      const fixed = changedSettings(before, after).filter(
        ({ change, before: old, after: now }) =>
          change.class === "creation-only" && !change.guardedBy && old !== undefined && now !== undefined,
      );
      const refused = refusedSettings(before, after);
      for (const { key, before: old, after: now, change } of fixed) {
        if (change.follows && fixed.some((cause) => cause.key === change.follows)) continue;
        const text = refused.find((reason) => reason.startsWith(`${key}: ${old} cannot become ${now}: `));
        const isAbsent = old === "none" && change.formerly === "none";
        const back = isAbsent ? `Remove ${key}, or ` : `Set ${key} to ${old} again, or `;
        assert.ok(text?.includes(back), `${key} in ${refused.join("\n")}`);
      }
    }),
  );
});

/** What a preview of the change says, if all machines of the stack run. */
const refusals = (before: DataCenterPlan, after: DataCenterPlan): readonly string[] => [
  ...refusedSettings(before.settings, after.settings),
  ...refusedSettings(before.settings, after.settings, "keys"),
  ...refusedMembers(before, after),
];

function refusedMembers(before: DataCenterPlan, after: DataCenterPlan): readonly string[] {
  const [old, now] = [guardedMembers(before, "fake"), guardedMembers(after, "fake")];
  const present = before.nodes.map(({ name, roles, uuid, interfaces }): [string, PresentMember] => [
    name,
    { name, roles, uuid, macs: interfaces.map(({ mac }) => mac), running: true },
  ]);
  const guarded = { ...now, replicas: Math.max(old.replicas, now.replicas) };
  return refusedLosses(before.nodes, new Map(present), guarded, old.volume).map(
    ({ problem, instead }) => `${problem}; ${instead}`,
  );
}

test("a class says that a change is refused exactly when the guard refuses it", () => {
  fc.assert(
    fc.property(validConfiguration, validConfiguration, (one, other) => {
      const before = planDataCenter(one);
      // Addresses would refuse almost all pairs, and names are those of another stack.
      const { name, driver, network, floatingIp } = one;
      const kept = {
        name,
        driver,
        network,
        ...(floatingIp === undefined ? { floatingIp: undefined } : { floatingIp }),
      };
      const after = planDataCenter({ ...other, ...kept });
      const fixed = changedSettings(before.settings, after.settings).filter(
        ({ change }) => change.class === "creation-only" && change.guardedBy !== "disks",
      );
      const byMembers = fixed.filter(
        ({ key, change }) => change.guardedBy === "members" && key !== "options.failoverBy",
      );
      const text = () => `${fixed.map(({ key }) => key)}\n${refusals(before, after).join("\n")}`;
      assert.equal(fixed.length > 0, refusals(before, after).length > 0, text());
      assert.equal(byMembers.length > 0, refusedMembers(before, after).length > 0, text());
    }),
    { numRuns: 300 },
  );
});

test("the order of roles is no change, and disks are compared by name", () => {
  const changed = (before: object, after: object) =>
    changedSettings(before as Settings, after as Settings).map(({ key, change }) => `${key} ${change.class}`);
  const roles = (...names: string[]) =>
    Object.fromEntries(names.map((role, position) => [`pools.masters.roles[${position}]`, role]));
  assert.deepEqual(changed(roles("balancer", "worker"), roles("worker", "balancer")), []);
  assert.deepEqual(changed(roles("worker"), roles("balancer", "worker")), ["pools.masters.roles[1] creation-only"]);
  assert.deepEqual(changed(roles("balancer"), roles("worker", "balancer")), ["pools.masters.roles[1] live"]);
  assert.deepEqual(changed(roles("balancer"), {}), ["pools.masters.roles[0] creation-only"]);
  const disk = (name: string, sizeGiB: number) => ({
    "pools.workers.disks[0].name": name,
    "pools.workers.disks[0].sizeGiB": String(sizeGiB),
  });
  assert.deepEqual(changed(disk("a", 9), disk("b", 5)), [
    "pools.workers.disks[0].name rolling",
    "pools.workers.disks[0].sizeGiB live",
  ]);
  assert.deepEqual(changed(disk("a", 9), disk("a", 5)), ["pools.workers.disks[0].sizeGiB creation-only"]);
});

/** What a user can do instead, in the words of the refusals. */
const remedy = /\b(?:keep|set|create|recreate|repair|use|start over|grow|take away or replace)\b/i;

test("a stack becomes any other one without recreating what stays, or the preview says what to do instead", () => {
  fc.assert(
    fc.property(changedConfiguration, ([one, other]) => {
      const [before, after] = [planDataCenter(one), planDataCenter(other)];
      const refused = refusals(before, after);
      for (const reason of refused) assert.match(reason, remedy);
      if (refused.length === 0) keepsWhatStays(before, after);
    }),
    { numRuns: 60 },
  );
});

test("small becomes lab, with either program for the floating IP, and its balancer alone becomes one of a pair and back", () => {
  const [small, lab] = [exampleConfiguration("small"), { ...exampleConfiguration("lab"), name: "small" }];
  const keepalived = { ...lab, options: { ...lab.options, failoverBy: "keepalived" as const } };
  const pair = { ...small, pools: { ...small.pools, balancers: lab.pools.balancers } };
  const pairWithKeepalived = { ...pair, options: keepalived.options };
  for (const [one, other] of [
    [small, lab],
    [small, keepalived],
    [small, pair],
    [pair, small],
    [pairWithKeepalived, small],
    [pair, lab],
  ] as const) {
    const [before, after] = [planDataCenter(one), planDataCenter(other)];
    assert.deepEqual(refusals(before, after), []);
    keepsWhatStays(before, after);
  }
});

function keepsWhatStays(before: DataCenterPlan, after: DataCenterPlan): void {
  for (const node of after.nodes) {
    const former = before.nodes.find(({ name }) => name === node.name);
    if (former === undefined) continue;
    const identity = ({ uuid, interfaces }: NodePlan) => [uuid, interfaces.map(({ mac }) => mac)];
    assert.deepEqual(identity(node), identity(former));
    appliesItsSettings(settingsFile(before, former), settingsFile(after, node));
  }
}

const settingsFile = (plan: DataCenterPlan, node: NodePlan): NodeFile =>
  renderNodeSeed(plan, node).files.find(({ path }) => path === guestPaths.nodeEnvironment) as NodeFile;

/** The commands for changed settings come with them. */
function appliesItsSettings(before: NodeFile, after: NodeFile): void {
  const { commands } = appliedChange(settingsInFiles([before.content]), settingsInFiles([after.content]));
  for (const [program] of commands)
    assert.ok(
      after.alongside?.some(({ path }) => path === program),
      program,
    );
}
