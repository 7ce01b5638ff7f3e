import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { KEEP_DISKS_VARIABLE } from "../../../../host/dismantling-mark";
import type { Hypervisor } from "../../../../hypervisors/hypervisor";
import { type DriverName, driverNames, featuresOf } from "../../../../model/drivers";
import type { DiskInputs } from "../../../../model/resource-types";
import { diskResource } from "../../../../provider/resources/disk";
import { belongsToAnother, noteResource } from "../../../../provider/resources/present-owner";
import type { Context } from "../../../../provider/rpc/resource-handler";
import { nodesOf } from "../../../../stacks/plan/data-center-plan";
import { planDataCenter } from "../../../../stacks/plan/plan-data-center";
import { useOfDisk } from "../../../../stacks/plan/plan-volume";
import { exampleConfiguration } from "../../../support/example-stacks";
import { ownDataFolder } from "../../../support/own-data-folder";

const copy = "brick 3 of volume data of stack lab, one of three copies";
const disk: DiskInputs = {
  ...{ driver: "fake", stack: "lab", name: "storage-3-brick", uuid: "u", sizeGiB: 4 },
  ...{ use: copy, keep: true },
};

const check = async (inputs: DiskInputs, found: object | undefined, olds?: DiskInputs) => {
  const hypervisor = { inspectDisk: async () => found } as unknown as Hypervisor;
  const failures = await diskResource(() => hypervisor).check?.(inputs, {} as Context, olds);
  return (failures ?? []).map(({ reason }) => reason);
};

test("a kept disk is used for the same again", async () => {
  assert.deepEqual(await check(disk, undefined), [], "a new disk");
  assert.deepEqual(await check(disk, { use: copy }), []);
  assert.deepEqual(await check(disk, {}), [], "an earlier version recorded nothing");
  const { use: _use, ...former } = disk;
  assert.deepEqual(await check(disk, {}, former), [], "the update from an earlier version");
});

test("a kept disk that is larger than planned is refused in the preview", async () => {
  const [reason] = await check(disk, { use: copy, sizeGiB: 8 });
  assert.match(
    String(reason),
    /^disk storage-3-brick has 8 GiB and cannot shrink to 4 GiB\n {2}next step: set sizeGiB to 8 /,
  );
  assert.deepEqual(await check(disk, { use: copy, sizeGiB: 2 }), [], "it grows");
});

test("a disk that another driver kept is refused in the preview, for each pair of drivers", async () => {
  const real = driverNames.filter((name) => featuresOf(name).diskContent !== undefined);
  assert.equal(real.length, driverNames.length - 1, "all but the fake");
  const data = ownDataFolder();
  const place = (driver: DriverName) =>
    path.join(data, "disks", disk.stack, featuresOf(driver).diskContent?.(disk.name) ?? assert.fail(driver));
  for (const kept of real) {
    fs.mkdirSync(place(kept), { recursive: true });
    for (const driver of real) {
      const [reason = ""] = await check({ ...disk, driver }, undefined);
      if (driver === kept) assert.equal(reason, "");
      else assert.match(reason, new RegExp(`only the driver ${kept} can use; set .driver: ${kept}. again, or move `));
      assert.deepEqual(await check({ ...disk, driver }, undefined, disk), [], "a running stack");
    }
    fs.rmSync(path.join(data, "disks"), { recursive: true });
  }
  // A stack may have had both drivers before: its own disk is the one that it used.
  for (const driver of real) fs.mkdirSync(place(driver), { recursive: true });
  for (const driver of real) assert.deepEqual(await check({ ...disk, driver }, undefined), []);
});

test("a kept disk of another stack, position or shape is refused", async () => {
  for (const use of [
    "brick 3 of volume data of stack lab, one of two copies and their arbiter",
    "brick 1 of volume data of stack lab, one of three copies",
    "brick 3 of volume data of stack other, one of three copies",
    "data of storage-3 of stack lab",
  ]) {
    const [reason, ...others] = await check(disk, { use });
    assert.match(String(reason), new RegExp(`: disk storage-3-brick is kept as ${use} and cannot become ${copy}; `));
    assert.deepEqual(others, []);
    assert.equal((await check(disk, { use }, { ...disk, use })).length, 1, "also of a running stack");
  }
});

test("a disk is deleted only if its state and the destroy both say so", async () => {
  const deleted = async (keep: boolean, kept?: string): Promise<boolean> => {
    let isRemoved = false;
    const removeDisk = async () => {
      isRemoved = true;
    };
    const hypervisor = { inspectDisk: async () => undefined, removeDisk } as unknown as Hypervisor;
    if (kept !== undefined) process.env[KEEP_DISKS_VARIABLE] = kept;
    const inputs = { ...disk, keep };
    const context = { urn: "urn:pulumi:lab::p::groundplane:index:Disk::storage-3-brick" } as Context;
    await diskResource(() => hypervisor)
      .delete(`${disk.driver}/${disk.stack}/${disk.name}`, { inputs, outputs: inputs }, context)
      .finally(() => delete process.env[KEEP_DISKS_VARIABLE]);
    return isRemoved;
  };
  assert.equal(await deleted(true), false);
  assert.equal(await deleted(false), true);
  assert.equal(await deleted(false, "lab"), false, "the stack's file says otherwise by now");
  assert.equal(await deleted(false, "other"), true);
});

test("every data disk has a use, and it differs by stack, position and shape", () => {
  const lab = exampleConfiguration("lab");
  const usesOf = (change: object) => {
    const plan = planDataCenter({ ...lab, ...change });
    return nodesOf(plan, "storage").flatMap((node) => node.dataDisks.map((each) => useOfDisk(plan, node, each)));
  };
  const one = { pools: { ...lab.pools, storage: { ...lab.pools.storage, count: 1 } } };
  const uses = [
    ...usesOf({}),
    ...usesOf({ storage: { volume: "arbiter" } }),
    ...usesOf({ name: "other" }),
    ...usesOf(one),
  ];
  assert.equal(uses.length, 10);
  assert.equal(new Set(uses).size, 10);
  assert.ok(uses.includes(copy));
  const more = {
    pools: {
      ...lab.pools,
      storage: { ...lab.pools.storage, disks: [...lab.pools.storage.disks, { name: "a", sizeGiB: 1 }] },
    },
  };
  assert.deepEqual(usesOf(more).slice(0, 2), [uses[0], "data of storage-1 of stack lab"]);
});

test("an object belongs to its recorded owner, whatever other resource has it in its state", () => {
  const urn = (name: string, parent = "") => `urn:pulumi:lab::p::${parent}groundplane:index:Machine::${name}`;
  const said: string[] = [];
  const context = (own: string) =>
    ({ urn: own, log: (_: string, text: string) => said.push(text) }) as unknown as Context;
  const isForeign = (owner: string, own: string) =>
    belongsToAnother("machine worker-1", { owner: { stack: "lab", urn: owner } }, "lab", context(own));
  assert.equal(isForeign(urn("worker-1"), urn("worker-1")), false);
  assert.equal(isForeign(urn("worker-1"), urn("second")), true);
  assert.match(String(said), /machine worker-1 stays: it belongs to urn:.*::worker-1/);
  assert.equal(isForeign(urn("worker-1", "old$"), urn("worker-1", "new$")), false, "moved in the program");
  noteResource(urn("worker-1", "component$"));
  assert.equal(isForeign(urn("worker-1", "component$"), urn("worker-1")), true, "both are in the program");
  assert.equal(belongsToAnother("machine worker-1", undefined, "lab", context(urn("worker-1"))), false);
});
