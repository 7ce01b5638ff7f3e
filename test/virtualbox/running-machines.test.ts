// Machines that really run, without VirtualBox's kernel module. Their guest is a boot sector.
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { localHost } from "../../host/local-host";
import { machineFiles } from "../../hypervisors/virtualbox/folders";
import { patienceMs } from "../support/cluster-under-test";
import { freePort } from "../support/host-observations";
import { onVirtualbox } from "../support/on-virtualbox";
import { BOOT_MESSAGE } from "../support/virtualbox-host";
import { virtualboxStack } from "../support/virtualbox-stack";

onVirtualbox("running machines", (host) => {
  const stack = virtualboxStack(host, "running");
  const { driver } = stack;
  const one = stack.spec(1);
  const consoleText = () => fs.readFileSync(driver.consoleLog?.consoleLogPath(one) ?? "", "utf8");

  async function booted(): Promise<void> {
    for (let tries = 0; !consoleText().includes(BOOT_MESSAGE); tries++) {
      assert.ok(tries < 300, `nothing but ${JSON.stringify(consoleText())} on the console`);
      await sleep(100);
    }
  }

  test("a machine boots from its linked disk, and each start has its own console file", async () => {
    await stack.make(one);
    await driver.startMachine(one);
    await booted();
    await driver.hardKill?.hardKill(one);
    await driver.startMachine(one);
    await booted();
    assert.equal(consoleText().split(BOOT_MESSAGE).length, 2, "of this start alone");
  });

  test("one process keeps the consoles small as long as the stack has machines", async () => {
    const limiters = () => localHost.processes.find((argv) => argv.some((word) => word.endsWith("limit-consoles.sh")));
    const ofStack = async () => (await limiters()).filter(({ pid }) => isOf(pid, host.data));
    const isOf = (pid: number, folder: string) => fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
    const other = stack.spec(2);
    await stack.make(other);
    await driver.startMachine(other);
    assert.equal((await ofStack()).length, 1);
    await driver.removeMachine(other, stack.owner(other.name));
    assert.equal((await ofStack()).length, 1, "a machine is left");
  });

  test("a clean stop presses the power button and waits for the guest", async () => {
    const started = performance.now();
    await driver.stopMachine(one, patienceMs);
    assert.ok(performance.now() - started < patienceMs / 2, "the guest has shut down by itself");
    assert.equal((await stack.inspect(one)).power, "stopped");
  });

  test("a guest that ignores the power button is powered off at the deadline", async () => {
    await driver.startMachine(one);
    await host.manage("controlvm", one.uuid, "pause");
    await driver.stopMachine(one, 1_000);
    assert.equal((await stack.inspect(one)).power, "stopped");
  });

  test("a machine whose process was killed counts as stopped, and starts again", async () => {
    await driver.startMachine(one);
    const [machine] = host.pids().filter((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(one.uuid));
    assert.ok(machine);
    process.kill(machine, "SIGKILL");
    for (let tries = 0; (await stack.inspect(one)).power !== "stopped"; tries++) {
      assert.ok(tries < 100, "it still counts as running");
      await sleep(100);
    }
    await driver.startMachine(one);
    await booted();
    await driver.stopMachine(one, 60_000);
  });

  test("the uplink's ports listen on the host's loopback while the machine runs, and change without a restart", async () => {
    const [ssh, api, other] = [await freePort(), await freePort(), await freePort()];
    const uplink = (...forwards: readonly (readonly [number, number])[]) => ({
      mac: "08:00:27:00:01:02",
      forwards: forwards.map(([hostPort, guestPort]) => ({ hostPort, guestPort })),
    });
    const gateway = stack.spec(2, { uplink: uplink([ssh, 22], [api, 6443]) });
    assert.deepEqual((await stack.make(gateway)).spec, gateway);
    await driver.startMachine(gateway);
    assert.deepEqual(await Promise.all([ssh, api, other].map(isListening)), [true, true, false]);
    const changed = { ...gateway, uplink: uplink([ssh, 22], [other, 6443]) };
    const state = await stack.make(changed);
    assert.deepEqual([state.spec, state.power], [changed, "running"], "changed without a stop");
    assert.deepEqual(await Promise.all([ssh, api, other].map(isListening)), [true, false, true]);
    await driver.hardKill?.hardKill(gateway);
    assert.deepEqual(await Promise.all([ssh, api, other].map(isListening)), [false, false, false]);
    await driver.removeMachine(gateway, stack.owner(gateway.name));
  });

  test("a snapshot copies the disks of paused machines, is no drift, and is put back", async () => {
    const { snapshots } = driver;
    assert.ok(snapshots);
    await driver.startMachine(one);
    const before = { stack: stack.name, name: "before" };
    const made = await snapshots.createSnapshot(before);
    assert.ok(made.bytes > 0 && made.pausedMs > 0, JSON.stringify(made));
    const { spec, power } = await stack.inspect(one);
    assert.deepEqual([spec, power], [one, "running"], "it is no drift, and the machine is resumed");
    const disk = machineFiles(localHost, one).systemDisk;
    assert.equal(fs.statSync(disk).mode & 0o777, 0o600);
    await snapshots.restoreSnapshot(before);
    await booted();
    assert.deepEqual((await stack.inspect(one)).spec, one);
    await snapshots.deleteSnapshot(before);
    await assert.rejects(snapshots.restoreSnapshot(before), /no snapshot before/);
  });

  test("a machine that a killed snapshot left paused counts as stopped until it is started", async () => {
    await host.manage("controlvm", one.uuid, "pause");
    assert.equal((await stack.inspect(one)).power, "stopped");
    await driver.startMachine(one);
    assert.equal((await stack.inspect(one)).power, "running");
  });

  test("a machine with a snapshot of its user is refused, and removed with all of its disks", async () => {
    await driver.hardKill?.hardKill(one);
    await host.manage("snapshot", one.uuid, "take", "left");
    const refused = driver.snapshots?.createSnapshot({ stack: stack.name, name: "before" });
    await assert.rejects(refused ?? Promise.resolve(), /delete the snapshots that this machine has in VirtualBox/);
    await stack.remove(1);
    assert.deepEqual(await host.traces([stack.name]), []);
  });
});

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
