// VBoxManage crashes after each change took effect, as it does at random while VBoxSVC exits. The work succeeds anyway.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { after, test } from "node:test";
import { localHost } from "../../host/local-host";
import { createVirtualBoxDriver } from "../../hypervisors/virtualbox/driver";
import { onVirtualbox } from "../support/on-virtualbox";
import { BOOT_IMAGE, machineOf, ownerIn, someSeed } from "../support/virtualbox-stack";

const stack = "crashed";
/** The changes that VirtualBox accepts again. */
const repeatable = /^(?:setextradata|modifymedium|storageattach .* --medium \/)/;

onVirtualbox("every change crashes once after it took effect", (host) => {
  const changes = path.join(path.dirname(host.data), "changes.log");
  const made = () => fs.readFileSync(changes, "utf8").trim().split("\n");
  const vboxManage = host.disturbed(`
case $1 in list | show* | get* | --version | convertfromraw) exec $vboxmanage "$@" ;; esac
printf '%s\\n' "$*" >>${changes}
$vboxmanage "$@" || exit
[ "$(grep -cxF -- "$*" ${changes})" != 1 ] || exit 139`);
  const former = process.env.GROUNDPLANE_VBOXMANAGE;
  process.env.GROUNDPLANE_VBOXMANAGE = vboxManage;
  after(() => {
    process.env.GROUNDPLANE_VBOXMANAGE = former;
  });

  const sleep = (milliseconds: number) => localHost.clock.sleep(Math.min(milliseconds, 50));
  const driver = createVirtualBoxDriver({ ...localHost, clock: { ...localHost.clock, sleep } });
  host.addImage(BOOT_IMAGE);

  test("an image, a machine and its disk are created, changed and removed", { timeout: 10 * 60_000 }, async () => {
    const owner = ownerIn(stack, "machine-1");
    const disk = { stack, name: "data", uuid: "6f1d3c1e-0000-5000-8000-000000000009", sizeGiB: 1 };
    const [first, second] = [await localHost.ports.findFree(), await localHost.ports.findFree()];
    const uplink = (hostPort: number) => ({ mac: "08:00:27:00:00:10", forwards: [{ hostPort, guestPort: 22 }] });
    const disks = [{ disk: disk.name, mountPoint: "/data/data" }];
    const machine = { ...machineOf(stack, 1), disks, uplink: uplink(first) };
    await driver.ensureImage({ name: BOOT_IMAGE });
    await driver.ensureSegment({ stack, name: "dmz" }, owner);
    await driver.ensureDisk(disk, owner);
    await driver.ensureMachine(machine, someSeed, owner);
    await driver.startMachine(machine);
    await driver.snapshots?.createSnapshot({ stack, name: "one" });
    const changed = { ...machine, uplink: uplink(second) };
    const { spec, power, drift } = await driver.ensureMachine(changed, someSeed, owner);
    assert.deepEqual([spec, power, drift], [changed, "running", undefined]);
    await driver.removeMachine(machine, owner);
    await driver.removeDisk(disk, owner);
    await driver.removeSegment({ stack, name: "dmz" }, owner);
    await driver.releaseImage({ name: BOOT_IMAGE });
    assert.deepEqual(await host.traces([stack, "groundplane", "virtualbox/"]), []);

    const lines = made();
    const again = [...new Set(lines.filter((line, place) => lines.indexOf(line) !== place))];
    assert.deepEqual(
      again.filter((line) => !repeatable.test(line)),
      [],
      "made twice",
    );
    const words = new Set(lines.map((line) => line.split(" ")[0]));
    assert.deepEqual([...words].sort(), [
      ...["closemedium", "controlvm", "createmedium", "createvm", "modifymedium", "modifyvm", "setextradata"],
      ...["startvm", "storageattach", "storagectl", "unregistervm"],
    ]);
  });
});
