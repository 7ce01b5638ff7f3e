import assert from "node:assert/strict";
import { test } from "node:test";
import { driverByName } from "../../../hypervisors/driver-by-name";
import type { MachineSpec } from "../../../hypervisors/hypervisor";
import { driverNames } from "../../../model/drivers";
import { RecordingHost } from "../../support/recording-host";

const spec: MachineSpec = {
  ...{ stack: "lab", name: "master-1", uuid: "u", image: "infrastructure-0123456789ab", cpus: 1, memoryMiB: 1 },
  ...{ diskGiB: 1, nics: [{ segment: "dmz", name: "dmz", mac: "" }], disks: [{ disk: "brick", mountPoint: "/data" }] },
};
const seed = { userData: "../", metaData: "", networkConfig: "" };
const owner = { stack: "lab", urn: "urn:x" };
const bad = ["..", "../other", "a/b", "/etc", "", "a.b", "-x", "x-", "a\nb", "a\0b", "a b", "x".repeat(101)];

for (const name of driverNames) {
  test(`${name}: no name leads out of a stack's folders`, async () => {
    const host = new RecordingHost();
    const driver = driverByName(name, host);
    for (const text of bad) {
      const refused = (call: Promise<unknown> | undefined) =>
        assert.rejects(call ?? Promise.resolve(), { id: "bad-name" }, text);
      await refused(driver.ensureMachine({ ...spec, name: text }, seed, owner));
      await refused(driver.ensureMachine({ ...spec, stack: text }, seed, owner));
      await refused(driver.ensureMachine({ ...spec, nics: [{ segment: text, name: "dmz", mac: "" }] }, seed, owner));
      await refused(driver.ensureMachine({ ...spec, disks: [{ disk: text, mountPoint: "/data" }] }, seed, owner));
      await refused(driver.removeMachine({ stack: "lab", name: text }, owner));
      await refused(driver.inspectDisk({ stack: "lab", name: text }));
      await refused(driver.removeDisk({ stack: text, name: "disk" }, owner));
      await refused(driver.removeSegment({ stack: "lab", name: text }, owner));
      await refused(driver.listMachines(text));
      await refused(driver.hardKill?.hardKill({ stack: text, name: "master-1" }) ?? Promise.reject({ id: "bad-name" }));
      if (text !== "a.b") await refused(driver.ensureMachine({ ...spec, image: text }, seed, owner));
      if (text !== "a.b") await refused(driver.inspectImage({ name: text }));
    }
    assert.deepEqual(host.log, [], "nothing was run");
  });
}
