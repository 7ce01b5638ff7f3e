import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { after, describe, test } from "node:test";
import { disksFolder } from "../../host/data-folder";
import { ForeignObjectError, ImageMissingError } from "../../hypervisors/hypervisor";
import { featuresOf, isDriverName } from "../../model/drivers";
import {
  contractMachine,
  contractSeed,
  type DriverUnderTest,
  killedMidway,
  outsider,
  owner,
  stacks,
} from "./driver-under-test";
import { takesSnapshots } from "./snapshot-contract";
import { exchangesSystemDisks } from "./system-disk-contract";

/** Registers the suite: one test for each promise. Each test starts from the state that the previous test leaves. */
export function hypervisorContract(name: string, driver: DriverUnderTest): void {
  describe(`${name} implements the driver port`, { skip: driver.skip ?? false }, () => {
    const segment = { stack: stacks.one, name: "dmz" };
    const machine = { stack: stacks.one, name: "machine-1" };
    const uuid = "6f1d3c1e-0000-5000-8000-0000000000d1";
    const disk = { stack: stacks.one, name: "machine-1-data", uuid, sizeGiB: 1 };
    after(() => removeEverything(driver));

    test("the host has no unknown problems", async () => {
      const ids = (await driver.create().problems()).map(({ id }) => id);
      assert.deepEqual(ids, driver.knownProblems ?? []);
    });

    test("images are prepared once, and found by name", async () => {
      const spec = { name: await driver.image() };
      const made = await driver.create().ensureImage(spec);
      assert.match(made.digest, /\S/);
      assert.deepEqual(await driver.create().ensureImage(spec), made);
      assert.equal((await driver.create().inspectImage(spec))?.digest, made.digest);
      const absent = { name: driver.absentImage };
      assert.equal(await driver.create().inspectImage(absent), undefined);
      await assert.rejects(driver.create().ensureImage(absent), ImageMissingError);
      await driver.create().releaseImage(absent);
    });

    test("a segment is created once, is known to a new instance, and has one owner", async () => {
      assert.equal(await driver.create().inspectSegment(segment), undefined);
      await driver.create().ensureSegment(segment, owner("dmz"));
      await driver.create().ensureSegment(segment, owner("dmz"));
      assert.deepEqual((await driver.create().inspectSegment(segment))?.owner, owner("dmz"));
      await assert.rejects(driver.create().ensureSegment(segment, outsider), ForeignObjectError);
      await assert.rejects(driver.create().removeSegment(segment, outsider), ForeignObjectError);
      assert.deepEqual((await driver.create().inspectSegment(segment))?.owner, owner("dmz"));
    });

    test("a disk is created once, is known to a new instance, and has one owner", async () => {
      assert.equal(await driver.create().inspectDisk(disk), undefined);
      await driver.create().ensureDisk(disk, owner("disk"));
      await driver.create().ensureDisk(disk, owner("disk"));
      assert.deepEqual(await driver.create().inspectDisk(disk), { ...disk, owner: owner("disk") });
      const content = isDriverName(name) ? featuresOf(name).diskContent?.(disk.name) : undefined;
      assert.ok(!content || existsSync(path.join(disksFolder(disk.stack), content)), "where other drivers look");
      // A disk of an earlier version has no use; a recorded one stays with the disk.
      await driver.create().ensureDisk({ ...disk, use: "one of three copies" }, owner("disk"));
      assert.equal((await driver.create().inspectDisk(disk))?.use, "one of three copies");
      await driver.create().ensureDisk(disk, owner("disk"));
      await assert.rejects(driver.create().ensureDisk(disk, outsider), ForeignObjectError);
      await assert.rejects(driver.create().removeDisk(disk, outsider), ForeignObjectError);
    });

    test("removing or stopping a missing object succeeds, and reading it finds nothing", async () => {
      const hypervisor = driver.create();
      assert.equal(await hypervisor.inspectMachine(machine), undefined);
      assert.deepEqual(await hypervisor.listMachines(stacks.one), []);
      await hypervisor.stopMachine(machine, 1_000);
      await hypervisor.removeMachine(machine, owner("machine"));
      await hypervisor.removeDisk({ stack: stacks.one, name: "none" }, owner("none"));
      await hypervisor.removeSegment({ stack: stacks.one, name: "none" }, owner("none"));
      await assert.rejects(hypervisor.startMachine(machine), "a machine that is not there cannot start");
    });

    test("a machine is created stopped and reads back as requested", async () => {
      const spec = { ...contractMachine(await driver.image()), disks: [{ disk: disk.name, mountPoint: "/data" }] };
      const made = await driver.create().ensureMachine(spec, contractSeed, owner("machine"));
      assert.deepEqual(
        { ...made, generation: "" },
        { spec, owner: owner("machine"), power: "stopped", generation: "" },
      );
      assert.deepEqual(await driver.create().inspectMachine(machine), made);
      assert.deepEqual(await driver.create().ensureMachine(spec, contractSeed, owner("machine")), made);
      assert.deepEqual(await driver.create().listMachines(stacks.one), [machine]);
      assert.deepEqual(await driver.create().listObjects(stacks.one), [
        { kind: "machine", name: machine.name, owner: owner("machine") },
        { kind: "segment", name: segment.name, owner: owner("dmz") },
        { kind: "disk", name: disk.name, owner: owner("disk") },
      ]);
      assert.deepEqual(await driver.create().listObjects(stacks.two), []);
    });

    test("a machine of another owner is refused and does not change", async () => {
      const before = await driver.create().inspectMachine(machine);
      const spec = { ...contractMachine(await driver.image()), memoryMiB: 4096 };
      await assert.rejects(driver.create().ensureMachine(spec, contractSeed, outsider), ForeignObjectError);
      await assert.rejects(driver.create().removeMachine(machine, outsider), ForeignObjectError);
      assert.deepEqual(await driver.create().inspectMachine(machine), before);
    });

    test("a machine starts once, and a new instance adopts it while it runs", async () => {
      await driver.create().startMachine(machine);
      const running = await driver.create().inspectMachine(machine);
      assert.equal(running?.power, "running");
      await driver.create().startMachine(machine);
      assert.deepEqual(await driver.create().inspectMachine(machine), running);
      const again = await driver.create().ensureMachine(running.spec, contractSeed, owner("machine"));
      assert.deepEqual(again, running, "ensuring what is as wanted leaves it running");
    });

    test("settings change in place, and the guest's data is kept", async () => {
      const before = await driver.create().inspectMachine(machine);
      assert.ok(before);
      const spec = { ...before.spec, memoryMiB: 768 };
      const changed = await driver.create().ensureMachine(spec, contractSeed, owner("machine"));
      assert.deepEqual(changed.spec, spec);
      assert.equal(changed.generation, before.generation, "a changed machine is still the same one");
      assert.deepEqual(await driver.create().inspectMachine(machine), changed);
    });

    test("cables are pulled and plugged in while the machine runs", async (t) => {
      const { links } = driver.create();
      if (!links) return t.skip("this driver cannot pull cables");
      await driver.create().startMachine(machine);
      await links.setLink(machine, false, "dmz");
      await links.setLink(machine, false);
      await links.setLink(machine, true);
      await links.setLink(machine, true);
    });

    test("a machine shuts down cleanly, and a second stop succeeds", async () => {
      await driver.create().startMachine(machine);
      await driver.create().stopMachine(machine, 60_000);
      assert.equal((await driver.create().inspectMachine(machine))?.power, "stopped");
      await driver.create().stopMachine(machine, 1_000);
    });

    test("a hard kill stops a machine at once, and the machine starts again", async (t) => {
      const { hardKill } = driver.create();
      if (!hardKill) return t.skip("this driver has no hard kill");
      await driver.create().startMachine(machine);
      await hardKill.hardKill(machine);
      assert.equal((await driver.create().inspectMachine(machine))?.power, "stopped");
      await hardKill.hardKill(machine);
      await driver.create().startMachine(machine);
      assert.equal((await driver.create().inspectMachine(machine))?.power, "running");
    });

    exchangesSystemDisks(driver, machine, disk);

    takesSnapshots(name, driver, machine, disk);

    test("two stacks can have machines of the same name", async () => {
      const other = { stack: stacks.two, name: "dmz" };
      const twin = contractMachine(await driver.image(), "machine-1", stacks.two);
      await driver.create().ensureSegment(other, owner("dmz", stacks.two));
      await driver.create().ensureMachine(twin, contractSeed, owner("machine", stacks.two));
      await driver.create().startMachine(twin);
      assert.equal((await driver.create().inspectMachine(twin))?.power, "running");
      assert.equal((await driver.create().inspectMachine(machine))?.power, "running");
      await driver.create().removeMachine(twin, owner("machine", stacks.two));
      await driver.create().removeSegment(other, owner("dmz", stacks.two));
      assert.equal((await driver.create().inspectMachine(machine))?.power, "running");
      assert.deepEqual(await driver.traces([stacks.two]), []);
    });

    test("a running machine can be removed, and its data disk is kept", async () => {
      const file = driver.diskFile?.(stacks.one, disk.name);
      await file?.write("kept\n");
      const before = await driver.create().inspectMachine(machine);
      await driver.create().removeMachine(machine, owner("machine"));
      await driver.create().removeMachine(machine, owner("machine"));
      assert.equal(await driver.create().inspectMachine(machine), undefined);
      assert.deepEqual(await driver.create().listMachines(stacks.one), []);
      assert.deepEqual(await driver.create().inspectDisk(disk), { ...disk, owner: owner("disk") });
      if (file) assert.equal(await file.read(), "kept\n");
      const again = await driver
        .create()
        .ensureMachine(contractMachine(await driver.image()), contractSeed, owner("machine"));
      assert.notEqual(again.generation, before?.generation, "a recreated machine is another one");
      await driver.create().removeMachine(machine, owner("machine"));
    });

    test("a process that creates, starts or removes a machine can be killed at any point", {
      timeout: 15 * 60_000,
    }, async () => {
      const spec = contractMachine(await driver.image(), "machine-2");
      for (const killAfterMs of [0, 20, 60, 150, 350]) {
        await killedMidway(driver, spec, "makeAndStart", killAfterMs);
        const seen = await driver.create().inspectMachine(spec);
        const listed = await driver.create().listMachines(stacks.one);
        if (seen) assert.deepEqual(listed, [{ stack: spec.stack, name: spec.name }]);
        await driver.create().ensureMachine(spec, contractSeed, owner(spec.name));
        await driver.create().startMachine(spec);
        assert.equal((await driver.create().inspectMachine(spec))?.power, "running");
        await killedMidway(driver, spec, "remove", killAfterMs);
        await driver.create().removeMachine(spec, owner(spec.name));
        assert.deepEqual(await driver.create().listMachines(stacks.one), []);
      }
    });

    test("destroying everything leaves nothing", async () => {
      await driver.create().removeDisk(disk, owner("disk"));
      await driver.create().removeDisk(disk, owner("disk"));
      await driver.create().removeSegment(segment, owner("dmz"));
      await driver.create().removeSegment(segment, owner("dmz"));
      await driver.create().releaseImage({ name: await driver.image() });
      await driver.create().releaseImage({ name: await driver.image() });
      assert.deepEqual(await driver.traces(Object.values(stacks)), []);
    });
  });
}

/** After a failed test, removes an object as its owner, so that the next run finds a clean host. */
async function removeEverything(driver: DriverUnderTest): Promise<void> {
  if (driver.skip) return;
  const hypervisor = driver.create();
  for (const stack of Object.values(stacks))
    for (const { kind, name, owner: marked } of await hypervisor.listObjects(stack)) {
      const by = marked ?? owner(name === "machine-1" ? "machine" : name, stack);
      const remove = { machine: "removeMachine", disk: "removeDisk", segment: "removeSegment" } as const;
      await hypervisor[remove[kind]]({ stack, name }, by).catch(() => undefined);
    }
}
