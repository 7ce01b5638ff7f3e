import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import { onVirtualbox } from "../support/on-virtualbox";
import { virtualboxStack } from "../support/virtualbox-stack";

onVirtualbox("data disks of machines that run", (host) => {
  const stack = virtualboxStack(host, "grown");
  const { driver } = stack;
  const disk = { stack: stack.name, name: "machine-1-data", uuid: "64726966-0000-5000-8000-0000000000d1", sizeGiB: 1 };
  const spec = stack.spec(1, { disks: [{ disk: disk.name, mountPoint: "/data" }] });
  const owner = stack.owner(disk.name);
  const file = `${host.data}/disks/${stack.name}/${disk.name}/disk.vdi`;

  test("a data disk grows, and its machine is restarted", async () => {
    await driver.ensureDisk(disk, owner);
    await stack.make(spec);
    await driver.startMachine(spec);
    await driver.ensureDisk({ ...disk, sizeGiB: 2 }, owner);
    assert.equal((await driver.inspectDisk(disk))?.sizeGiB, 2);
    const state = await stack.inspect(spec);
    assert.deepEqual([state?.power, state?.drift, state?.spec.disks], ["running", undefined, spec.disks]);
  });

  test("a data disk without its file counts as missing, and is recreated for its existing machine", async () => {
    await driver.stopMachine(spec, 0);
    fs.rmSync(file);
    assert.equal(await driver.inspectDisk(disk), undefined);
    await driver.ensureDisk({ ...disk, sizeGiB: 2 }, owner);
    assert.equal((await driver.inspectDisk(disk))?.sizeGiB, 2);
    await driver.startMachine(spec);
    const state = await stack.inspect(spec);
    assert.deepEqual([state?.power, state?.drift, state?.spec.disks], ["running", undefined, spec.disks]);
  });

  test("the machine and the disk are removed, and nothing remains", async () => {
    await driver.removeMachine(spec, stack.owner(spec.name));
    await driver.removeDisk(disk, owner);
    await stack.remove();
    assert.deepEqual(await host.traces([stack.name]), []);
  });
});
