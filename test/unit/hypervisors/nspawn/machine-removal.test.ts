import assert from "node:assert/strict";
import { test } from "node:test";
import { createNspawnDriver } from "../../../../hypervisors/nspawn/driver";
import { RecordingHost } from "../../../support/recording-host";

const machine = { stack: "lab", name: "worker-1" };
const owner = { stack: "lab", urn: "urn:pulumi:lab::groundplane::Machine::worker-1" };
const disk = { stack: "lab", name: "brick" };
const spec = {
  ...{ ...machine, uuid: "6f1d3c1e-0000-5000-8000-000000000001", image: "i", cpus: 1, memoryMiB: 512, diskGiB: 10 },
  ...{ nics: [], disks: [] },
};
const folder = "/data/stacks/lab/machines/worker-1";
const mountList = "/proc/self/mountinfo";
const mounted = (at: string) => ({ [mountList]: `36 25 0:3 / ${at} rw,relatime - ext4 /dev/sda1 rw\n` });

/** A machine's own mounts are in its mount namespace. A user may mount something else, such as a larger disk. */
test("a machine with a mount in its folder is removed only without the mount", async () => {
  const files = {
    [`${folder}/machine.json`]: JSON.stringify({ owner, generation: "1", spec, complete: true }),
    [`${folder}/root/etc/hosts`]: "of another file system",
  };
  const host = new RecordingHost({ files: { ...files, ...mounted(`${folder}/root`) } });
  const driver = createNspawnDriver(host);
  await assert.rejects(driver.removeMachine(machine, owner), { id: "mount-below" });
  assert.ok(await host.files.exists(`${folder}/root/etc/hosts`));
  assert.deepEqual(
    (await driver.listObjects("lab")).map(({ name }) => name),
    ["worker-1"],
    "its owner is still known",
  );
  await host.files.remove(mountList);
  await driver.removeMachine(machine, owner);
  assert.ok(!(await host.files.exists(folder)));
});

test("a data disk with a mount in it keeps its content and its record", async () => {
  const host = new RecordingHost();
  const driver = createNspawnDriver(host);
  await driver.ensureDisk({ ...disk, uuid: spec.uuid, sizeGiB: 1 }, owner);
  const [data = ""] = host.memory.names().filter((name) => /^\/data\/disks\/lab\/brick\/\w+$/.test(name));
  await host.files.writeAtomic(`${data}/volume/file`, "precious");
  await host.files.writeAtomic(mountList, mounted(`${data}/volume`)[mountList] ?? "");
  await assert.rejects(driver.removeDisk(disk, owner), { id: "mount-below" });
  assert.equal(await host.files.readText(`${data}/volume/file`), "precious");
  assert.ok(await driver.inspectDisk(disk));
});
