import assert from "node:assert/strict";
import { test } from "node:test";
import { type DiskSpec, ForeignObjectError, type MachineName } from "../../hypervisors/hypervisor";
import {
  contractMachine,
  contractSeed,
  type DriverUnderTest,
  killedMidway,
  outsider,
  owner,
  stacks,
} from "./driver-under-test";

/** The part of the suite for drivers that exchange system disks. */
export function exchangesSystemDisks(
  driver: DriverUnderTest,
  machine: MachineName,
  disk: Pick<DiskSpec, "name">,
): void {
  test("the system disk is exchanged, returns, and is dropped; the machine and its data disks stay", async (t) => {
    const { systemDisks } = driver.create();
    if (!systemDisks || !driver.otherImage) return t.skip("this driver cannot exchange system disks");
    const [image, other] = [await driver.image(), await driver.otherImage()];
    await driver.create().ensureImage({ name: other });
    const [system, data] = [driver.systemFile?.(stacks.one, machine.name), driver.diskFile?.(stacks.one, disk.name)];
    await driver.create().stopMachine(machine, 60_000);
    await Promise.all([system?.write("of the first image\n"), data?.write("data\n")]);
    await driver.create().startMachine(machine);
    const before = await driver.create().inspectMachine(machine);
    assert.ok(before);
    const exchange = (wanted: string) =>
      driver.create().systemDisks?.exchangeSystemDisk(machine, wanted, contractSeed, owner("machine"));
    const exchanged = { ...before, spec: { ...before.spec, image: other }, power: "stopped", formerImage: image };
    assert.deepEqual(await exchange(other), exchanged);
    assert.deepEqual(await exchange(other), exchanged, "again");
    assert.deepEqual(await driver.create().inspectMachine(machine), exchanged);
    if (system) assert.equal(await system.read(), undefined, "the new disk has nothing of the former guest");
    await driver.create().startMachine(machine);
    assert.equal((await driver.create().inspectMachine(machine))?.power, "running", "it runs from the new disk");
    const restored = await driver.create().systemDisks?.restoreSystemDisk(machine, owner("machine"));
    assert.deepEqual(restored, { ...before, power: "stopped" });
    if (system) assert.equal(await system.read(), "of the first image\n");
    await driver.create().startMachine(machine);
    await driver.create().systemDisks?.restoreSystemDisk(machine, owner("machine"));
    assert.equal((await driver.create().inspectMachine(machine))?.power, "running", "without a former disk");
    await exchange(other);
    await driver.create().startMachine(machine);
    const changed = { ...exchanged.spec, memoryMiB: before.spec.memoryMiB };
    const kept = await driver.create().ensureMachine(changed, contractSeed, owner("machine"));
    assert.equal(kept.formerImage, image, "a changed machine keeps its former disk");
    await driver.create().systemDisks?.dropFormerSystemDisk(machine, owner("machine"));
    await driver.create().systemDisks?.dropFormerSystemDisk(machine, owner("machine"));
    await driver.create().systemDisks?.restoreSystemDisk(machine, owner("machine"));
    const { formerImage: _, ...now } = { ...exchanged, power: "running" };
    assert.deepEqual(await driver.create().inspectMachine(machine), now);
    if (data) assert.equal(await data.read(), "data\n");
    await assert.rejects(systemDisks.exchangeSystemDisk(machine, image, contractSeed, outsider), ForeignObjectError);
    await exchange(image);
    await driver.create().systemDisks?.dropFormerSystemDisk(machine, owner("machine"));
    await driver.create().startMachine(machine);
  });

  test("a process that exchanges a system disk can be killed at any point", { timeout: 15 * 60_000 }, async (t) => {
    if (!driver.create().systemDisks || !driver.otherImage) return t.skip("this driver cannot exchange system disks");
    const [image, other] = [await driver.image(), await driver.otherImage()];
    await driver.create().ensureImage({ name: other });
    const spec = contractMachine(image, "machine-3");
    const made = await driver.create().ensureMachine(spec, contractSeed, owner(spec.name));
    let present = { image, wanted: other };
    for (const killAfterMs of [0, 20, 60, 150, 350, 800]) {
      await driver.create().startMachine(spec);
      await killedMidway(driver, { ...spec, image: present.wanted }, "exchange", killAfterMs);
      // As the next `up` does with a stopped machine, before anything else.
      const seen = await driver.create().inspectMachine(spec);
      assert.ok(seen, "it is a machine at any point");
      const again = await driver.create().ensureMachine(seen.spec, contractSeed, owner(spec.name));
      assert.deepEqual([again.generation, again.spec.image], [made.generation, seen.spec.image]);
      await driver.create().startMachine(spec);
      const disks = driver.create().systemDisks;
      const done = await disks?.exchangeSystemDisk(spec, present.wanted, contractSeed, owner(spec.name));
      assert.deepEqual([done?.generation, done?.spec.image], [made.generation, present.wanted]);
      await driver.create().startMachine(spec);
      await disks?.dropFormerSystemDisk(spec, owner(spec.name));
      present = { image: present.wanted, wanted: present.image };
    }
    await driver.create().removeMachine(spec, owner(spec.name));
    await driver.create().releaseImage({ name: other });
  });
}
