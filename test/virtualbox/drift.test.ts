// Reading a machine detects changes made in VirtualBox Manager, and ensuring it reverts them.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, test } from "node:test";
import type { MachineSpec, MachineState } from "../../hypervisors/hypervisor";
import { onVirtualbox } from "../support/on-virtualbox";
import { virtualboxStack } from "../support/virtualbox-stack";

onVirtualbox("drift", (host) => {
  const stack = virtualboxStack(host, "drift");
  const { driver } = stack;
  const disk = { stack: stack.name, name: "machine-1-data", uuid: "64726966-0000-5000-8000-0000000000d1", sizeGiB: 1 };
  const spec: MachineSpec = stack.spec(1, {
    cpus: 2,
    nics: [
      { segment: "dmz", name: "dmz", mac: "08:00:27:00:00:01" },
      { segment: "masters", name: "masters", mac: "08:00:27:00:00:02" },
    ],
    uplink: { mac: "08:00:27:00:00:03", forwards: [{ hostPort: 24022, guestPort: 22 }] },
    disks: [{ disk: disk.name, mountPoint: "/data" }],
  });
  const masters = { stack: stack.name, name: "masters" };
  const manage = (...argv: string[]) => host.manage(...argv);
  const modify = (...argv: string[]) => manage("modifyvm", spec.uuid, ...argv);
  const attach = (port: number, ...argv: string[]) =>
    manage("storageattach", spec.uuid, "--storagectl", "SATA", "--port", String(port), "--device", "0", ...argv);
  const differs = (state: MachineState) => {
    const isSame = JSON.stringify(state.spec) === JSON.stringify(spec);
    return !isSame || (state.drift ?? []).length > 0;
  };

  test("a newly created machine shows no drift", async () => {
    await driver.ensureSegment(masters, stack.owner("masters"));
    await driver.ensureDisk(disk, stack.owner(disk.name));
    const made = await stack.make(spec);
    assert.deepEqual(made.spec, spec);
    assert.equal(made.drift, undefined);
    assert.deepEqual(await stack.inspect(spec), made);
  });

  const slot = /nic(\d)="nat"/;
  const uplinkSlot = async () => slot.exec(await manage("showvminfo", spec.uuid, "--machinereadable"))?.[1] ?? "";
  const byHand: Readonly<Record<string, () => Promise<unknown>>> = {
    memory: () => modify("--memory", "96"),
    "number of processors": () => modify("--cpus", "1"),
    "a cable in another network": async () =>
      modify((await uplinkSlot()) === "1" ? "--intnet2" : "--intnet1", "elsewhere"),
    "a card's address": async () =>
      modify((await uplinkSlot()) === "1" ? "--macaddress2" : "--macaddress1", "0800270000FF"),
    "a card's model": async () => modify((await uplinkSlot()) === "1" ? "--nictype2" : "--nictype1", "82540EM"),
    "a card that was taken out": async () => modify((await uplinkSlot()) === "1" ? "--nic2" : "--nic1", "none"),
    "a card too many": () => modify("--nic8", "nat"),
    "a port-forward that was removed": async () =>
      modify(`--natpf${await uplinkSlot()}`, "delete", (await forwardName()) ?? ""),
    "a port-forward too many": async () => modify(`--natpf${await uplinkSlot()}`, "extra,tcp,127.0.0.1,24023,,80"),
    "the console's file": () => modify("--uartmode1", "disconnected"),
    firmware: () => modify("--firmware", "efi"),
    "boot order": () => modify("--boot1", "net"),
    "a system disk that was detached": () => attach(0, "--medium", "none"),
    "a data disk that was detached": () => attach(2, "--medium", "none"),
    "a seed that was ejected": () => attach(1, "--type", "dvddrive", "--medium", "emptydrive"),
    "the clipboard": () => modify("--clipboard", "bidirectional"),
  };
  const forwardName = async () =>
    /^Forwarding\(0\)="([^,]+)/m.exec(await manage("showvminfo", spec.uuid, "--machinereadable"))?.[1];

  for (const [what, change] of Object.entries(byHand)) {
    test(`drift is detected and reverted: ${what}`, async () => {
      const before = await stack.inspect(spec);
      await change();
      assert.ok(differs(await stack.inspect(spec)), "it is seen");
      assert.deepEqual(await stack.make(spec), before);
      assert.deepEqual(await stack.inspect(spec), before);
    });
  }

  test("a running machine is stopped for changes that require it, and keeps its data disk", async () => {
    await driver.startMachine(spec);
    await manage("controlvm", spec.uuid, `natpf${await uplinkSlot()}`, "extra,tcp,127.0.0.1,24024,,80");
    const live = await stack.make(spec);
    assert.deepEqual([differs(live), live.power], [false, "running"], "a port-forward is put back live");
    const said: string[] = [];
    const changed = { ...spec, memoryMiB: 128 };
    await driver.ensureMachine(
      changed,
      { userData: "", metaData: "", networkConfig: "" },
      stack.owner(spec.name),
      (text) => said.push(text),
    );
    assert.match(said.join("\n"), /shut down.*memory/is, "the stop is announced, with its reason");
    assert.equal((await stack.inspect(spec)).power, "stopped");
    await stack.make(spec);
  });

  test("a deleted machine counts as missing, and is recreated with its data disk", async () => {
    const { generation } = await stack.inspect(spec);
    await attach(2, "--medium", "none");
    await manage("unregistervm", spec.uuid, "--delete");
    assert.equal(await driver.inspectMachine(spec), undefined);
    const again = await stack.make(spec);
    assert.notEqual(again.generation, generation);
    assert.equal(differs(again), false);
    assert.deepEqual(await driver.inspectDisk(disk), { ...disk, owner: stack.owner(disk.name) });
  });

  test("an unregistered machine is adopted with its disk", async () => {
    const { generation } = await stack.inspect(spec);
    await manage("unregistervm", spec.uuid);
    assert.equal(await driver.inspectMachine(spec), undefined);
    const again = await stack.make(spec);
    assert.equal(differs(again), false);
    assert.ok(again.generation.length > 0 && generation.length > 0);
  });

  after(async () => {
    await stack.remove(1);
    await driver.removeDisk(disk, stack.owner(disk.name));
    await driver.removeSegment(masters, stack.owner("masters"));
    assert.deepEqual(await host.traces([stack.name]), []);
    assert.deepEqual(fs.existsSync(`${host.data}/stacks/${stack.name}`), false);
  });
});
